//! The checks behind the assertion types, each of them a pure function of the output.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::schema::Schema;
use crate::{content::Literal, test_set::plain};

const SUPPORTED: [&str; 6] = ["equals", "contains", "icontains", "starts-with", "regex", "is-json"];

/// Types of the API that join later: refused by name until then, never skipped.
const LATER: [&str; 15] = [
    "assert-set",
    "contains-any",
    "contains-all",
    "icontains-any",
    "icontains-all",
    "contains-json",
    "levenshtein",
    "rouge-n",
    "bleu",
    "similar",
    "latency",
    "cost",
    "llm-rubric",
    "factuality",
    "is-refusal",
];

/// Types of promptfoo that run the test set's own code.
const CODE: [&str; 4] = ["javascript", "python", "ruby", "webhook"];

const MAX_PATTERN_BYTES: usize = 10 * 1024;

/// The most memory of a compiled expression. Matching takes time proportional to this and to the output.
pub(super) const MAX_COMPILED_BYTES: usize = 1024 * 1024;

/// How much of a text goes into a reason, in characters.
const SNIPPET_CHARS: usize = 100;

/// Says why a type, without `not-`, cannot be checked.
pub(super) fn require_supported(kind: &str) -> Result<(), String> {
    if SUPPORTED.contains(&kind) {
        return Ok(());
    }
    let supported = SUPPORTED.join(", ");
    Err(if LATER.contains(&kind) {
        format!("`{kind}` is not supported yet; use one of {supported}")
    } else if CODE.contains(&kind) {
        format!("`{kind}` runs code and is never supported; use one of {supported}")
    } else {
        format!("there is no assertion type `{kind}`; use one of {supported}")
    })
}

/// A check, prepared.
#[derive(Debug)]
pub(super) enum Check {
    /// The whole output is this text.
    Equals(String),
    /// The output without white space around it is this text.
    EqualsTrimmed(String),
    /// The output is JSON and has this value.
    EqualsJson(Value),
    /// The text is somewhere in the output.
    Contains(String),
    /// The lower-cased text is somewhere in the lower-cased output.
    ContainsLowercase(String),
    /// The output begins with the text.
    StartsWith(String),
    /// The expression matches somewhere.
    Matches(Regex),
    /// The output is JSON, and satisfies the schema if there is one.
    IsJson(Option<Schema>),
}

impl Check {
    /// Prepares the check of a supported type.
    pub(super) fn new(kind: &str, value: Option<&Literal>) -> Result<Self, String> {
        if kind == "is-json" {
            return value.map(Schema::new).transpose().map(Self::IsJson);
        }
        let value = value.ok_or_else(|| format!("{kind} needs a `value`"))?;
        if kind == "equals" {
            return match scalar(value) {
                Some(text) => Ok(Self::Equals(text)),
                None => json(value).map(Self::EqualsJson),
            };
        }
        if kind == "regex" {
            return serde_json::from_str(value.0.get())
                .map_err(|_| "`value` of regex is a string".to_owned())
                .and_then(|pattern: String| compile(&pattern))
                .map(Self::Matches);
        }
        let text = scalar(value)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| format!("`value` of {kind} is a text that is not empty, or a number"))?;
        Ok(match kind {
            "icontains" => Self::ContainsLowercase(text.to_lowercase()),
            "starts-with" => Self::StartsWith(text),
            _ => Self::Contains(text),
        })
    }

    /// The check of a case's `expected`.
    pub(super) fn expected(expected: &Literal) -> Result<Self, String> {
        match scalar(expected) {
            Some(text) => Ok(Self::EqualsTrimmed(text.trim().to_owned())),
            None => json(expected).map(Self::EqualsJson),
        }
    }

    /// Why the output fails the check, or its negation; `None` when it does not.
    pub(super) fn failure(&self, output: &str, negated: bool) -> Option<String> {
        let (holds, expectation) = match self {
            Self::Equals(text) => (output == text, format!("equal {}", quote(text))),
            Self::EqualsTrimmed(text) => (output.trim() == text, format!("equal {}", quote(text))),
            Self::EqualsJson(value) => {
                let holds = serde_json::from_str::<Value>(output).is_ok_and(|parsed| same(&parsed, value));
                (holds, format!("equal the JSON {}", snippet(&value.to_string())))
            }
            Self::Contains(text) => (output.contains(text), format!("contain {}", quote(text))),
            Self::ContainsLowercase(text) => (
                output.to_lowercase().contains(text),
                format!("contain {} in upper or lower case", quote(text)),
            ),
            Self::StartsWith(text) => (output.starts_with(text), format!("start with {}", quote(text))),
            Self::Matches(regex) => (regex.is_match(output), format!("match /{}/", snippet(regex.as_str()))),
            Self::IsJson(None) => (serde_json::from_str::<Value>(output).is_ok(), "be JSON".to_owned()),
            Self::IsJson(Some(schema)) => match schema.failure(output) {
                None => (true, "be JSON of the schema".to_owned()),
                Some(why) => (false, format!("be JSON of the schema ({})", snippet(&why))),
            },
        };
        let not = if negated { "not " } else { "" };
        (holds == negated)
            .then(|| format!("expected the output to {not}{expectation}, got {}", quote(output)))
    }
}

/// The text of a string, or of a number or boolean as it was written; `None` for lists and objects.
fn scalar(value: &Literal) -> Option<String> {
    let written = value.0.get();
    match written.as_bytes().first() {
        Some(b'{' | b'[') => None,
        Some(b'"') => serde_json::from_str(written).ok(),
        _ => Some(written.to_owned()),
    }
}

fn json(value: &Literal) -> Result<Value, String> {
    serde_json::from_str(value.0.get()).map_err(|error| plain(&error))
}

/// Equality as JavaScript has it: 1 and 1.0 are one number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(format!("an expression has at most {MAX_PATTERN_BYTES} bytes"));
    }
    RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED_BYTES)
        .dfa_size_limit(MAX_COMPILED_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                "the expression exceeds the size limit when compiled; write [A-Za-z0-9_] for a repeated \\w, or \
                 repeat less"
                    .to_owned()
            }
            // The message draws the expression over several lines; only its last says what is wrong.
            error => {
                let text = error.to_string();
                format!("`value` is not an expression: {}", text.lines().last().unwrap_or_default().trim())
            }
        })
}

fn quote(text: &str) -> String {
    format!("{:?}", snippet(text))
}

fn snippet(text: &str) -> String {
    match text.char_indices().nth(SNIPPET_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
