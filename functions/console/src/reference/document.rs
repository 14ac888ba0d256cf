//! The document, as far as people read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) paths: BTreeMap<String, BTreeMap<String, Operation>>,
    pub(super) components: Components,
}

#[derive(Deserialize)]
pub(super) struct Components {
    pub(super) schemas: BTreeMap<String, Schema>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) operation_id: String,
    pub(super) summary: String,
    #[serde(default)]
    pub(super) description: String,
    tags: Vec<String>,
    #[serde(default)]
    pub(super) parameters: Vec<Parameter>,
    request_body: Option<Body>,
    responses: BTreeMap<String, Body>,
}

#[derive(Deserialize)]
pub(super) struct Parameter {
    name: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    description: String,
    schema: Schema,
}

/// What is sent or answered.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    description: String,
    #[serde(default)]
    content: BTreeMap<String, Media>,
}

#[derive(Deserialize)]
struct Media {
    #[serde(default)]
    schema: Schema,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Schema {
    #[serde(rename = "$ref")]
    reference: String,
    /// A word, or several.
    #[serde(rename = "type")]
    words: Value,
    format: String,
    description: String,
    items: Option<Box<Schema>>,
    properties: BTreeMap<String, Schema>,
    required: Vec<String>,
    one_of: Vec<Schema>,
    all_of: Vec<Schema>,
    #[serde(rename = "enum")]
    values: Vec<Value>,
}

/// A member, or a parameter.
#[derive(Serialize)]
pub(super) struct Field {
    name: String,
    pub(super) kind: Kind,
    required: bool,
    description: String,
}

/// A type in words. Those that have a name are marked, for the page leads to them.
#[derive(Default, Serialize)]
pub(super) struct Kind(Vec<Word>);

#[derive(Serialize)]
struct Word {
    text: String,
    named: bool,
}

impl Kind {
    /// The named types in it.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().filter(|word| word.named).map(|word| word.text.clone()).collect()
    }

    fn say(&mut self, text: impl Into<String>) {
        self.0.push(Word { text: text.into(), named: false });
    }

    /// Kinds with a word between them.
    fn of(kinds: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut whole = Self::default();
        for kind in kinds {
            if !whole.0.is_empty() {
                whole.say(between);
            }
            whole.0.extend(kind.0);
        }
        whole
    }

    fn word(text: impl Into<String>) -> Self {
        Self(vec![Word { text: text.into(), named: false }])
    }
}

impl Operation {
    /// The things that it is about.
    pub(super) fn group(&self) -> &str {
        self.tags.first().map_or("other", String::as_str)
    }

    /// What may be sent, by media type.
    pub(super) fn sent(&self) -> Vec<(String, Kind)> {
        let media = self.request_body.iter().flat_map(|body| &body.content);
        media.map(|(name, media)| (name.clone(), media.schema.kind())).collect()
    }

    /// What may be answered. All that is refused is of one type.
    pub(super) fn answers(&self) -> Vec<(String, String, Kind)> {
        let answer = |(status, body): (&String, &Body)| {
            let content = body.content.values().filter(|_| status.starts_with('2'));
            let kind = Kind::of(content.map(|media| media.schema.kind()), " or ");
            (status.clone(), body.description.clone(), kind)
        };
        self.responses.iter().map(answer).collect()
    }
}

impl Parameter {
    pub(super) fn field(&self) -> Field {
        Field {
            name: self.name.clone(),
            kind: self.schema.kind(),
            required: self.required,
            description: self.description.clone(),
        }
    }
}

impl Schema {
    /// Of which type it is.
    pub(super) fn kind(&self) -> Kind {
        if let Some(name) = self.reference.rsplit('/').next().filter(|name| !name.is_empty()) {
            return Kind(vec![Word { text: name.to_owned(), named: true }]);
        }
        if !self.one_of.is_empty() {
            return Kind::of(self.one_of.iter().map(Self::kind), " or ");
        }
        if !self.all_of.is_empty() {
            return Kind::of(self.all_of.iter().map(Self::kind), " and ");
        }
        if !self.values.is_empty() {
            return Kind::of(self.values.iter().map(|value| Kind::word(value.to_string())), " or ");
        }
        let words = self.words.as_array().map_or(std::slice::from_ref(&self.words), Vec::as_slice);
        Kind::of(words.iter().filter_map(Value::as_str).map(|word| self.one(word)), " or ")
    }

    fn one(&self, word: &str) -> Kind {
        match (&self.items, self.format.as_str(), word) {
            (Some(items), _, "array") => Kind::of([Kind::word("list of"), items.kind()], " "),
            (_, "date-time", "string") => Kind::word("time"),
            _ => Kind::word(word),
        }
    }

    /// What is in it, of itself and of what it is put together from.
    pub(super) fn fields(&self) -> Vec<Field> {
        let own = self.properties.iter().map(|(name, schema)| Field {
            name: name.clone(),
            kind: schema.kind(),
            required: self.required.contains(name),
            description: schema.description.clone(),
        });
        own.chain(self.all_of.iter().flat_map(Self::fields)).collect()
    }
}
