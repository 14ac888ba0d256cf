//! Outputs that are JSON, or hold some.

use serde_json::{Deserializer, Value};

use super::{MAX_OUTPUT_BYTES, schema::Schema, snippet};
use crate::test_set::plain;

/// The most bytes read behind braces that begin no JSON. A text that ends in the midst of JSON needs its
/// length for each level that is open; braces without end could need 128 times their length.
const MAX_FUTILE_BYTES: usize = 4 * MAX_OUTPUT_BYTES;

/// Equality as JavaScript has it: 1 and 1.0 are one number.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Why an output is not JSON, or not of the schema.
pub(super) fn whole_failure(output: &str, schema: Option<&Schema>) -> Option<String> {
    match serde_json::from_str::<Value>(output) {
        Err(error) => Some(plain(&error)),
        Ok(value) => schema.and_then(|schema| schema.failure(&value)),
    }
}

/// Why an output holds no JSON object, or none of the schema. They are looked for from the beginning, as in promptfoo
/// also inside of arrays, and not inside of one that was found. The error says why that would take too long.
pub(super) fn part_failure(output: &str, schema: Option<&Schema>) -> Result<Option<String>, String> {
    let mut failure = "there is none".to_owned();
    let mut futile = 0;
    let mut next = 0;
    while let Some(at) = output[next..].find('{') {
        let rest = &output[next + at..];
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => match schema.and_then(|schema| schema.failure(&value)) {
                None => return Ok(None),
                Some(why) => failure = why,
            },
            Some(Err(error)) => futile += place(rest, &error),
            None => {}
        }
        if futile > MAX_FUTILE_BYTES {
            return Err("the output has too many braces that begin no JSON".to_owned());
        }
        next += at + values.byte_offset().max(1);
    }
    Ok(Some(failure))
}

/// How far a text was read until an error.
fn place(text: &str, error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column()
}

/// How a check names its schema and what is wrong.
pub(super) fn described(schema: Option<&Schema>, failure: Option<&String>) -> String {
    let of = if schema.is_some() { " of the schema" } else { "" };
    failure.map_or_else(|| of.to_owned(), |why| format!("{of} ({})", snippet(why)))
}
