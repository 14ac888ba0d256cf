//! A value of a test file together with where it stands, so that whatever is wrong is reported by its line.

use std::{fmt::Display, rc::Rc};

use serde_json::{Value, value::RawValue};

use super::{MAX_CASE_BYTES, intake::Problem};
use crate::content::Literal;

/// Where something stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The line, from 1.
    pub(super) line: usize,
    /// The column of a table, by its name.
    pub(super) column: Option<Rc<str>>,
}

impl Place {
    /// A line of a file that has no named columns.
    pub(super) fn line(line: usize) -> Self {
        Self { line, column: None }
    }

    /// Says what is wrong here.
    pub(super) fn problem(&self, detail: impl Display) -> Problem {
        let detail = match &self.column {
            Some(column) => format!("column `{column}`: {detail}"),
            None => detail.to_string(),
        };
        (self.line, detail)
    }
}

/// A value and its place. Clones share what is inside of lists and mappings.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Where it begins.
    pub(super) place: Place,
    /// What it is.
    pub(super) data: Data,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(super) enum Data {
    /// A text.
    Text(String),
    /// A number, a boolean or null, as JSON spells it.
    Scalar(String),
    /// A list.
    List(Vec<Rc<Node>>),
    /// Names and values, in their order; no name comes twice.
    Map(Vec<Entry>),
}

/// A named value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Where the name stands.
    pub(super) place: Place,
    /// The name.
    pub(super) key: String,
    /// The value.
    pub(super) value: Rc<Node>,
}

impl Node {
    /// A node.
    pub(super) fn new(place: &Place, data: Data) -> Self {
        Self { place: place.clone(), data }
    }

    /// A text.
    pub(super) fn text(place: &Place, text: &str) -> Self {
        Self::new(place, Data::Text(text.to_owned()))
    }

    /// This value under a name.
    pub(super) fn named(self, key: &str) -> Entry {
        Entry { place: self.place.clone(), key: key.to_owned(), value: Rc::new(self) }
    }

    /// Whether nothing is said.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar(json) if json == "null")
    }

    /// Whether it is the boolean.
    pub(super) fn is_true(&self) -> bool {
        matches!(&self.data, Data::Scalar(json) if json == "true")
    }

    /// The value under a name, if this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let Data::Map(entries) = &self.data else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_ref())
    }

    /// The named values; `what` names the node where it is no mapping.
    pub(super) fn entries(&self, what: &str) -> Result<&[Entry], Problem> {
        match &self.data {
            Data::Map(entries) => Ok(entries),
            _ => Err(self.place.problem(format!("{what} is a mapping of names to values"))),
        }
    }

    /// The values of the list; `what` names the node where it is none.
    pub(super) fn items(&self, what: &str) -> Result<&[Rc<Node>], Problem> {
        match &self.data {
            Data::List(items) => Ok(items),
            _ => Err(self.place.problem(format!("{what} is a list"))),
        }
    }

    /// The text, or the number or boolean as it is spelled; `what` names the node where it is none.
    pub(super) fn plain(&self, what: &str) -> Result<&str, Problem> {
        match &self.data {
            Data::Text(text) => Ok(text),
            Data::Scalar(json) if json != "null" => Ok(json),
            _ => Err(self.place.problem(format!("{what} is a text"))),
        }
    }

    /// The node as JSON. `room` is how many bytes the case may still have; nothing longer is built.
    pub(super) fn literal(&self, room: &mut usize) -> Result<Literal, Problem> {
        let mut json = String::new();
        if self.write(&mut json, *room).is_none() {
            *room = 0;
            return Err(self.place.problem(format!("the case has more than {MAX_CASE_BYTES} bytes")));
        }
        *room -= json.len();
        RawValue::from_string(json).map(Literal).map_err(|error| self.place.problem(error))
    }

    /// Appends the node as JSON; `None` once there are more than `most` bytes.
    fn write(&self, json: &mut String, most: usize) -> Option<()> {
        match &self.data {
            // Quoting makes no text shorter, so one that is too long is not even copied.
            Data::Text(text) if text.len() > most => return None,
            Data::Text(text) => json.push_str(&quoted(text)),
            Data::Scalar(scalar) => json.push_str(scalar),
            Data::List(items) => {
                json.push('[');
                for (index, item) in items.iter().enumerate() {
                    json.push_str(if index > 0 { "," } else { "" });
                    item.write(json, most)?;
                }
                json.push(']');
            }
            Data::Map(entries) => {
                json.push('{');
                for (index, entry) in entries.iter().enumerate() {
                    json.push_str(if index > 0 { "," } else { "" });
                    json.push_str(&quoted(&entry.key));
                    json.push(':');
                    entry.value.write(json, most)?;
                }
                json.push('}');
            }
        }
        (json.len() <= most).then_some(())
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
