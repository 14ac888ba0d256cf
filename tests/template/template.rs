//! A template as values, with the short forms of functions such as `!Ref` written out.

use serde_json::{Map, Value, json};

/// A template.
pub(crate) struct Template(Value);

/// A function, with what stands in `Globals`.
pub(crate) struct Function {
    /// Its name in the template.
    pub(crate) id: String,
    pub(crate) properties: Value,
}

impl Template {
    /// Reads YAML.
    pub(crate) fn parse(text: &str) -> Self {
        Self(written_out(yaml_serde::from_str(text).unwrap()))
    }

    /// The resources of a type, each with its name.
    pub(crate) fn resources(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        self.all().filter(move |(_, resource)| resource["Type"] == kind)
    }

    /// All resources, each with its name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        entries(&self.0["Resources"])
    }

    /// A parameter; null where there is none.
    pub(crate) fn parameter(&self, id: &str) -> &Value {
        &self.0["Parameters"][id]
    }

    /// A resource; null where there is none.
    pub(crate) fn resource(&self, id: &str) -> &Value {
        &self.0["Resources"][id]
    }

    /// What an output tells; null where there is none.
    pub(crate) fn output(&self, id: &str) -> &Value {
        &self.0["Outputs"][id]["Value"]
    }

    /// A condition; null where there is none.
    pub(crate) fn condition(&self, id: &str) -> &Value {
        &self.0["Conditions"][id]
    }

    /// All functions but the one on managed instances: it is another one again, which a check of its own holds it to.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let functions = self.resources("AWS::Serverless::Function").map(|(id, _)| self.function(id));
        functions.filter(|function| function.properties["CapacityProviderConfig"].is_null()).collect()
    }

    /// A function; nothing where there is none.
    pub(crate) fn function(&self, id: &str) -> Function {
        let mut properties = self.0["Globals"]["Function"].clone();
        merge(&mut properties, &self.resource(id)["Properties"]);
        Function { id: id.to_owned(), properties }
    }
}

impl Function {
    /// Its environment.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &Value)> {
        entries(&self.properties["Environment"]["Variables"])
    }

    /// What calls it, by the type of event.
    pub(crate) fn events(&self, kind: &str) -> impl Iterator<Item = &Value> {
        let events = entries(&self.properties["Events"]).map(|(_, event)| event);
        events.filter(move |event| event["Type"] == kind).map(|event| &event["Properties"])
    }

    /// How long an invocation may take, in s.
    pub(crate) fn timeout(&self) -> u64 {
        self.properties["Timeout"].as_u64().unwrap_or(3)
    }
}

/// The members of an object; none of anything else.
pub(crate) fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The elements of a list. As in the language of policies, a value that is no list is one element.
pub(crate) fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    }
}

/// The resource that `!Ref` or `!GetAtt` names. Of an alternative it is the first: ours, where none is given.
pub(crate) fn named(value: &Value) -> Option<&str> {
    let value = alternatives(value)[0];
    let attribute = || value["Fn::GetAtt"].as_str()?.split('.').next();
    value["Ref"].as_str().or_else(attribute)
}

/// What a value may be, as the conditions of the deployment have it.
pub(crate) fn alternatives(value: &Value) -> Vec<&Value> {
    match value["Fn::If"].as_array().map(Vec::as_slice) {
        Some([_, first, second]) => vec![first, second],
        _ => vec![value],
    }
}

/// The text of a value, also within `!Sub`.
pub(crate) fn text(value: &Value) -> &str {
    let sub = &value["Fn::Sub"];
    value.as_str().or(sub.as_str()).or(sub[0].as_str()).unwrap_or_default()
}

/// How a property is not as wanted: of the resource with this name, at this place, it has to be this JSON, and `null`
/// where it must not be there.
pub(crate) fn differs(template: &Template, (id, place, wanted): &(&str, &str, &str)) -> Option<String> {
    let given = template.resource(id)["Properties"].pointer(place).unwrap_or(&Value::Null);
    let right: Value = serde_json::from_str(wanted).unwrap();
    (*given != right).then(|| format!("{id}: {place} is not {wanted}"))
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn written_out(yaml: yaml_serde::Value) -> Value {
    match yaml {
        yaml_serde::Value::Sequence(list) => list.into_iter().map(written_out).collect(),
        yaml_serde::Value::Mapping(members) => {
            let member = |(name, value)| (written_out(name).as_str().unwrap().to_owned(), written_out(value));
            Value::Object(members.into_iter().map(member).collect::<Map<_, _>>())
        }
        yaml_serde::Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let name = if name == "Ref" { name.to_owned() } else { format!("Fn::{name}") };
            json!({ name: written_out(tagged.value) })
        }
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}
