//! A test as promptfoo has it, read into one case, or into one for each combination of its variables' lists.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{
    CaseDocument, MAX_CASES,
    assertions::{filled, require_inline},
    intake::Problem,
    node::{Data, Entry, Node, Place},
    placeholder::{Variables, is_template},
    require_few_tags,
};
use crate::content::Literal;

/// Options that change neither the prompt nor the judgement, and those that are followed.
const OPTIONS: [&str; 4] =
    ["disableConversationVar", "disableDefaultAsserts", "disableVarExpansion", "runSerially"];

/// A test. What each of its cases shares is read.
pub(super) struct Test {
    /// Where it stands.
    pub(super) place: Place,
    /// How many cases it stands for.
    pub(super) count: usize,
    shared: Shared,
    vars: Vec<Entry>,
    asserts: Vec<Rc<Node>>,
    expands: bool,
}

#[derive(Default)]
struct Shared {
    case_id: Option<String>,
    expected: Option<Literal>,
    threshold: Option<f64>,
    tags: Vec<String>,
    metadata: Map<String, Value>,
}

impl Test {
    /// Reads a test. `room` is how many bytes its case may have, and then how many are left for the rest of
    /// it.
    pub(super) fn read(node: &Node, room: &mut usize) -> Result<Self, Problem> {
        let mut test = Self {
            place: node.place.clone(),
            count: 1,
            shared: Shared::default(),
            vars: Vec::new(),
            asserts: Vec::new(),
            expands: true,
        };
        for entry in node.entries("a test")?.iter().filter(|entry| !entry.value.is_null()) {
            test.field(entry, room)?;
        }
        // The description joins last, so that no metadata takes its place.
        if let Some(description) = node.get("description").filter(|node| !node.is_null()) {
            let description = description.plain("`description`")?;
            test.shared.metadata.insert("description".to_owned(), description.into());
        }
        let choices = test.vars.iter().map(|entry| test.choices(entry).len());
        test.count = choices.fold(1, usize::saturating_mul);
        if test.count > MAX_CASES {
            return Err(test.place.problem(format!(
                "the lists in `vars` make {} cases; a test set has at most {MAX_CASES}",
                test.count
            )));
        }
        Ok(test)
    }

    fn field(&mut self, entry: &Entry, room: &mut usize) -> Result<(), Problem> {
        let node = entry.value.as_ref();
        match entry.key.as_str() {
            "description" => {}
            "vars" => self.vars = node.entries("`vars`")?.to_vec(),
            "assert" => self.asserts = node.items("`assert`")?.to_vec(),
            "case_id" => self.shared.case_id = Some(node.plain("`case_id`")?.to_owned()),
            "expected" => self.shared.expected = Some(node.literal(room)?),
            "threshold" => self.shared.threshold = Some(threshold(node)?),
            "tags" => self.tag(node)?,
            "metadata" => self.metadata(node, room)?,
            "options" => {
                let options = node.entries("`options`")?;
                if let Some(option) = options.iter().find(|option| !OPTIONS.contains(&option.key.as_str())) {
                    return Err(option
                        .place
                        .problem(format!("the option `{}` is not supported", option.key)));
                }
                self.expands = !node.get("disableVarExpansion").is_some_and(Node::is_true);
            }
            name => return Err(entry.place.problem(format!("`{name}` of a test is not supported"))),
        }
        Ok(())
    }

    /// Notes of the author; a `tags` among them are our tags.
    fn metadata(&mut self, node: &Node, room: &mut usize) -> Result<(), Problem> {
        let (tags, notes): (Vec<_>, Vec<_>) =
            node.entries("`metadata`")?.iter().cloned().partition(|entry| entry.key == "tags");
        for entry in tags {
            self.tag(&entry.value)?;
        }
        let written = Node::new(&node.place, Data::Map(notes)).literal(room)?;
        self.shared.metadata =
            serde_json::from_str(written.as_str()).map_err(|error| node.place.problem(error))?;
        Ok(())
    }

    fn tag(&mut self, node: &Node) -> Result<(), Problem> {
        for tag in node.items("`tags`")? {
            let tag = tag.plain("a tag")?.to_owned();
            if !self.shared.tags.contains(&tag) {
                self.shared.tags.push(tag);
            }
            require_few_tags(self.shared.tags.len()).map_err(|why| node.place.problem(why))?;
        }
        Ok(())
    }

    /// The variables of a case, counted from 0: a list whose first value is a text stands for its values one
    /// after another, the last variable changing first.
    fn vars(&self, mut index: usize) -> Vec<Entry> {
        let mut vars: Vec<Entry> = Vec::with_capacity(self.vars.len());
        for entry in self.vars.iter().rev() {
            let choices = self.choices(entry);
            vars.push(Entry { value: Rc::clone(&choices[index % choices.len()]), ..entry.clone() });
            index /= choices.len();
        }
        vars.reverse();
        vars
    }

    fn choices<'a>(&self, entry: &'a Entry) -> &'a [Rc<Node>] {
        match &entry.value.data {
            Data::List(items)
                if self.expands && items.first().is_some_and(|first| matches!(first.data, Data::Text(_))) =>
            {
                items
            }
            _ => std::slice::from_ref(&entry.value),
        }
    }

    /// A case, counted from 0, and its assertions with their places. `room` is how many bytes it may still
    /// have.
    pub(super) fn case(&self, index: usize, room: &mut usize) -> Result<(CaseDocument, Vec<Node>), Problem> {
        let vars = self.vars(index);
        for Entry { value, .. } in &vars {
            if let Data::Text(text) = &value.data {
                require_inline(&value.place, text)?;
                if is_template(text) {
                    let why = "promptfoo would render the braces in this variable; write its value, or keep \
                               literal braces in JSON Lines";
                    return Err(value.place.problem(why));
                }
            }
        }
        let variables: Variables =
            vars.iter().map(|entry| (entry.key.as_str(), entry.value.as_ref())).collect();
        let (mut asserts, mut assert) = (Vec::new(), Vec::new());
        for node in &self.asserts {
            let node = filled(node, &variables, &mut room.clone())?;
            assert.push(node.literal(room)?);
            asserts.push(node);
        }
        let Shared { case_id, expected, threshold, tags, metadata } = &self.shared;
        let document = CaseDocument {
            // One name cannot be that of several cases.
            case_id: case_id.as_ref().map(|id| match self.count {
                1 => id.clone(),
                _ => format!("{id}-{}", index + 1),
            }),
            vars: Node::new(&self.place, Data::Map(vars)).literal(room)?,
            expected: expected.clone(),
            assert,
            threshold: *threshold,
            tags: tags.clone(),
            metadata: (!metadata.is_empty()).then(|| metadata.clone()),
        };
        Ok((document, asserts))
    }
}

fn threshold(node: &Node) -> Result<f64, Problem> {
    let number = match &node.data {
        Data::Scalar(json) => json.parse().ok(),
        _ => None,
    };
    // One that is infinite would be stored as none.
    number
        .filter(|number| (0.0..=1.0).contains(number))
        .ok_or_else(|| node.place.problem("`threshold` is a number from 0 to 1"))
}
