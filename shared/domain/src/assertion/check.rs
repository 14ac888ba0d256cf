//! The checks that need no model, each of them a pure function of the answer.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::{
    Answered, Finding,
    json::{described, part_failure, same, whole_failure},
    measure::{MAX_DISTANCE_CHARS, bleu, distance, rouge_1},
    quote, reaches,
    refusal::is_refusal,
    schema::Schema,
    snippet,
};
use crate::money::Usd;

const MAX_PATTERN_BYTES: usize = 10 * 1024;

/// The most memory of a compiled expression. Matching takes time proportional to this and to the output.
pub(super) const MAX_COMPILED_BYTES: usize = 1024 * 1024;

/// A check, prepared.
#[derive(Debug)]
pub(super) enum Check {
    /// The whole output is this text.
    Equals(String),
    /// The output without white space around it is this text.
    EqualsTrimmed(String),
    /// The output is JSON and has this value.
    EqualsJson(Value),
    /// Texts are somewhere in the output.
    Contains(Contains),
    /// The output begins with the text.
    StartsWith(String),
    /// The expression matches somewhere.
    Matches(Regex),
    /// The output is JSON, and satisfies the schema if there is one.
    IsJson(Option<Schema>),
    /// Somewhere in the output is a JSON object that satisfies the schema if there is one.
    ContainsJson(Option<Schema>),
    /// The output declines the request.
    IsRefusal,
    /// The edit distance to the reference is at most `most`.
    Levenshtein { reference: String, most: f64 },
    /// ROUGE-1 against the reference is at least `least`.
    Rouge { reference: String, least: f64 },
    /// BLEU against the references is at least `least`.
    Bleu { references: Vec<String>, least: f64 },
    /// The answer took at most this many milliseconds.
    Latency(f64),
    /// The answer cost at most this.
    Cost(Usd),
}

/// Which texts must be in the output.
#[derive(Debug)]
pub(super) struct Contains {
    /// Lower-cased when case does not matter.
    pub(super) texts: Vec<String>,
    /// All of them, or any.
    pub(super) all: bool,
    pub(super) any_case: bool,
}

impl Check {
    /// Whether the answer's text has no part in it.
    pub(super) fn ignores_output(&self) -> bool {
        matches!(self, Self::Latency(_) | Self::Cost(_))
    }

    /// What is found; an error says why the output cannot be checked.
    pub(super) fn find(&self, answered: &Answered<'_>) -> Result<Finding, String> {
        let output = answered.output;
        let binary = |holds: bool, expected: String| {
            graded(holds, f64::from(u8::from(holds)), expected, quote(output))
        };
        Ok(match self {
            Self::Equals(text) => binary(output == text, format!("equal {}", quote(text))),
            Self::EqualsTrimmed(text) => binary(output.trim() == text, format!("equal {}", quote(text))),
            Self::EqualsJson(value) => {
                let holds = serde_json::from_str::<Value>(output).is_ok_and(|parsed| same(&parsed, value));
                binary(holds, format!("equal the JSON {}", snippet(&value.to_string())))
            }
            Self::Contains(contains) => {
                let (holds, expected) = contains.find(output);
                binary(holds, expected)
            }
            Self::StartsWith(text) => binary(output.starts_with(text), format!("start with {}", quote(text))),
            Self::Matches(regex) => {
                binary(regex.is_match(output), format!("match /{}/", snippet(regex.as_str())))
            }
            Self::IsJson(schema) => {
                let why = whole_failure(output, schema.as_ref());
                binary(why.is_none(), format!("be JSON{}", described(schema.as_ref(), why.as_ref())))
            }
            Self::ContainsJson(schema) => {
                let why = part_failure(output, schema.as_ref())?;
                let described = described(schema.as_ref(), why.as_ref());
                binary(why.is_none(), format!("contain a JSON object{described}"))
            }
            Self::IsRefusal => binary(is_refusal(output), "be a refusal".to_owned()),
            _ => return self.measure(answered),
        })
    }

    fn measure(&self, answered: &Answered<'_>) -> Result<Finding, String> {
        let output = answered.output;
        let at_most = |holds: bool, expected: String, got: String| {
            graded(holds, f64::from(u8::from(holds)), expected, got)
        };
        let at_least = |name: &str, score: f64, least: f64| {
            let expected = format!("have a {name} score of at least {least}");
            graded(reaches(score, least), score, expected, format!("{score:.4}"))
        };
        Ok(match self {
            Self::Levenshtein { reference, most } => {
                let distance = distance(output, reference).ok_or_else(|| {
                    format!("edits are counted up to {MAX_DISTANCE_CHARS} characters; the output has more")
                })?;
                let near = f64::from(u32::try_from(distance).unwrap_or(u32::MAX)) <= *most;
                let expected = format!("be at most {most} edits away from {}", quote(reference));
                at_most(near, expected, format!("{distance}"))
            }
            Self::Rouge { reference, least } => at_least("ROUGE-1", rouge_1(output, reference), *least),
            Self::Bleu { references, least } => at_least("BLEU", bleu(output, references), *least),
            Self::Latency(most) => {
                let took = answered.latency_ms;
                // Nothing takes the 49 days that 32 bits of milliseconds hold.
                let in_time = f64::from(u32::try_from(took).unwrap_or(u32::MAX)) <= *most;
                at_most(in_time, format!("come within {most} ms"), format!("{took} ms"))
            }
            Self::Cost(most) => {
                let cost = answered.cost_usd;
                at_most(cost <= *most, format!("cost at most {most} USD"), format!("{cost} USD"))
            }
            _ => return Err("this check is no measure".to_owned()),
        })
    }
}

impl Contains {
    fn find(&self, output: &str) -> (bool, String) {
        let lowercase = self.any_case.then(|| output.to_lowercase());
        let output = lowercase.as_deref().unwrap_or(output);
        let missing = || self.texts.iter().filter(|text| !output.contains(text.as_str()));
        let listed = snippet(&format!("{:?}", self.texts));
        let case = if self.any_case { " in upper or lower case" } else { "" };
        match self.texts.as_slice() {
            [only] => (missing().next().is_none(), format!("contain {}{case}", quote(only))),
            texts if !self.all => (missing().count() < texts.len(), format!("contain any of {listed}{case}")),
            _ => {
                let first = missing().next().map(|text| format!(" (without {})", quote(text)));
                (first.is_none(), format!("contain all of {listed}{case}{}", first.unwrap_or_default()))
            }
        }
    }
}

fn graded(holds: bool, score: f64, expected: String, got: String) -> Finding {
    Finding { holds, score, expected, got }
}

/// Compiles an expression, within the bounds.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(format!("an expression has at most {MAX_PATTERN_BYTES} bytes"));
    }
    RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED_BYTES)
        .dfa_size_limit(MAX_COMPILED_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                "the expression exceeds the size limit when compiled; write [A-Za-z0-9_] for a repeated \\w, \
                 or repeat less"
                    .to_owned()
            }
            // The message draws the expression over several lines; only its last says what is wrong.
            error => {
                let text = error.to_string();
                format!("`value` is not an expression: {}", text.lines().last().unwrap_or_default().trim())
            }
        })
}
