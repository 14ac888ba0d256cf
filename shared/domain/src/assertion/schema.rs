//! JSON Schemas of `is-json` and `contains-json`: compiled once, nothing loaded, bounded.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::check::MAX_COMPILED_BYTES;
use crate::{content::Literal, test_set::plain};

/// References multiply: each of a chain of *n* that names the next one twice doubles the work.
const MAX_REFERENCES: usize = 50;

/// A compiled schema.
#[derive(Debug)]
pub(super) struct Schema(Box<Validator>);

impl Schema {
    /// Compiles a schema. Its own parts may be referred to, other documents may not; formats are checked, and
    /// an unknown one is refused rather than ignored.
    pub(super) fn new(value: &Literal) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(value.0.get()).map_err(|error| plain(&error))?;
        if !schema.is_object() && !schema.is_boolean() {
            return Err("`value` is a JSON Schema: an object, not a text that holds one".to_owned());
        }
        if references(&schema) > MAX_REFERENCES {
            return Err(format!("a schema has at most {MAX_REFERENCES} references"));
        }
        jsonschema::options()
            .offline()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_pattern_options(
                // The linear engine: a pattern with look-around is refused, none can backtrack for ever.
                PatternOptions::regex().size_limit(MAX_COMPILED_BYTES).dfa_size_limit(MAX_COMPILED_BYTES),
            )
            .build(&schema)
            .map(|validator| Self(Box::new(validator)))
            .map_err(|error| format!("the schema is wrong at `{}`: {error}", error.instance_path()))
    }

    /// Why a value is not of this schema.
    pub(super) fn failure(&self, value: &Value) -> Option<String> {
        self.0.validate(value).err().map(|error| format!("at `{}`: {error}", error.instance_path()))
    }
}

fn references(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => {
            members.keys().filter(|key| key.ends_with("Ref") || *key == "$ref").count()
                + members.values().map(references).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(references).sum(),
        _ => 0,
    }
}
