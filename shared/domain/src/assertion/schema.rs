//! JSON Schemas of `is-json` and `contains-json`: compiled once, nothing loaded, bounded.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::check::MAX_COMPILED_BYTES;
use crate::{content::Literal, test_set::plain};

/// The most references, as they are written.
const MAX_REFERENCES: usize = 50;

/// References multiply: each of a chain of *n* that names the next one twice doubles the work. So many there
/// are at most when what they name stands in their places.
const MAX_WRITTEN_OUT: usize = 10_000;

/// How deep a schema is at most when each of its references stands in the one before: what compiles it is
/// recursive.
const MAX_LEVELS: usize = 1500;

/// A compiled schema.
#[derive(Debug)]
pub(super) struct Schema {
    validator: Box<Validator>,
    /// Whether a part of it may lead back to itself.
    recursive: bool,
}

impl Schema {
    /// Compiles a schema. Its own parts may be referred to, other documents may not; formats are checked, and
    /// an unknown one is refused rather than ignored.
    pub(super) fn new(value: &Literal) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(value.0.get()).map_err(|error| plain(&error))?;
        if !schema.is_object() && !schema.is_boolean() {
            return Err("`value` is a JSON Schema: an object, not a text that holds one".to_owned());
        }
        let references = references(&schema);
        if references > MAX_REFERENCES {
            return Err(format!("a schema has at most {MAX_REFERENCES} references"));
        }
        let most = MAX_LEVELS / (references + 1);
        if depth(&schema) > most {
            return Err(format!(
                "a schema with {references} references is nested at most {most} levels deep"
            ));
        }
        let mut walk = Walk { schema: &schema, open: vec!["#"], left: MAX_WRITTEN_OUT };
        let recursive = walk.is_recursive(&schema)?;
        jsonschema::options()
            .offline()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_pattern_options(
                // The linear engine: a pattern with look-around is refused, none can backtrack for ever.
                PatternOptions::regex().size_limit(MAX_COMPILED_BYTES).dfa_size_limit(MAX_COMPILED_BYTES),
            )
            .build(&schema)
            .map(|validator| Self { validator: Box::new(validator), recursive })
            .map_err(|error| format!("the schema is wrong at `{}`: {error}", error.instance_path()))
    }

    /// Why a value is not of this schema. Looking for the place remembers nothing of what was found, so in a
    /// schema that leads back to itself the work could double with each level of the value; telling whether it
    /// is of the schema does remember.
    pub(super) fn failure(&self, value: &Value) -> Option<String> {
        if self.recursive {
            let why = "the schema refers to itself, so no place is looked for";
            return (!self.validator.is_valid(value)).then(|| why.to_owned());
        }
        self.validator.validate(value).err().map(|error| format!("at `{}`: {error}", error.instance_path()))
    }
}

/// A walk over a schema in which what a reference names stands in its place.
struct Walk<'a> {
    schema: &'a Value,
    /// The references that lead here.
    open: Vec<&'a str>,
    /// How many references may still be followed.
    left: usize,
}

impl<'a> Walk<'a> {
    /// Whether a reference in this part leads back to itself, or to a place that only the compiled schema knows.
    fn is_recursive(&mut self, part: &'a Value) -> Result<bool, String> {
        match part {
            Value::Object(members) => members.iter().try_fold(false, |found, (key, member)| {
                let recursive = match member.as_str() {
                    Some(target) if is_reference(key) => self.leads_back(target)?,
                    _ => self.is_recursive(member)?,
                };
                Ok(found || recursive)
            }),
            Value::Array(items) => {
                items.iter().try_fold(false, |found, item| Ok(self.is_recursive(item)? || found))
            }
            _ => Ok(false),
        }
    }

    fn leads_back(&mut self, target: &'a str) -> Result<bool, String> {
        if self.open.contains(&target) {
            return Ok(true);
        }
        let Some(named) = target.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer)) else {
            return Ok(true);
        };
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            format!("a schema has at most {MAX_WRITTEN_OUT} references when all are written out")
        })?;
        self.open.push(target);
        let recursive = self.is_recursive(named);
        self.open.pop();
        recursive
    }
}

fn is_reference(key: &str) -> bool {
    key == "$ref" || key.ends_with("Ref")
}

fn depth(schema: &Value) -> usize {
    1 + match schema {
        Value::Object(members) => members.values().map(depth).max().unwrap_or_default(),
        Value::Array(items) => items.iter().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn references(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => {
            members.keys().filter(|key| is_reference(key)).count()
                + members.values().map(references).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(references).sum(),
        _ => 0,
    }
}
