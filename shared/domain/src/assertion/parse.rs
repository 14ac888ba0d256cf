//! Reading assertions: what cannot be checked is refused here, by name and place, not at evaluation.

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;

use super::{Assertion, Body, body::Parts, check::Check, list::scalar};
use crate::{
    content::Literal,
    test_set::{object, plain},
};

/// The most assertions of a case, the members of sets counted.
const MAX_ASSERTIONS: usize = 100;
/// The most regular expressions of a case, those in its schemas counted. A prepared one takes up to a megabyte, and a
/// worker holds those of ten cases.
const MAX_EXPRESSIONS: usize = 32;
/// The greatest weight; it keeps sums of weights exact enough.
const MAX_WEIGHT: f64 = 1_000_000.0;
pub(super) const MAX_NAME_CHARS: usize = 200;

const SET: &str = "assert-set";

const SUPPORTED: [&str; 21] = [
    "equals",
    "contains",
    "icontains",
    "starts-with",
    "regex",
    "contains-any",
    "contains-all",
    "icontains-any",
    "icontains-all",
    "is-json",
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
    SET,
];

/// Types of promptfoo that run the test set's own code.
const CODE: [&str; 4] = ["javascript", "python", "ruby", "webhook"];

/// An assertion or a set as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    #[serde(rename = "type")]
    kind: String,
    value: Option<Literal>,
    threshold: Option<f64>,
    weight: Option<f64>,
    metric: Option<String>,
    provider: Option<String>,
    /// The members of a set.
    assert: Option<Vec<Literal>>,
}

/// Reads the type alone: a type that we do not know has fields that we do not know.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "type")]
    kind: String,
}

/// Counts the members of a set, if it is one.
#[derive(Deserialize)]
struct Members {
    assert: Vec<IgnoredAny>,
}

/// Reads the assertions of a case.
pub(crate) fn parse_all(written: &[Literal]) -> Result<Vec<Assertion>, String> {
    require_few(written)?;
    each(written, Assertion::parse)
}

/// Counts the assertions of a case, and the expressions in them, before any is prepared.
pub(crate) fn require_few(written: &[Literal]) -> Result<(), String> {
    let members = |literal| read::<Members>(literal).map_or(1, |members| members.assert.len().max(1));
    if written.iter().map(members).sum::<usize>() > MAX_ASSERTIONS {
        return Err(format!("a case has at most {MAX_ASSERTIONS} assertions, the members of sets counted"));
    }
    if written.iter().map(|literal| expressions(&written_out(literal))).sum::<usize>() > MAX_EXPRESSIONS {
        return Err(format!(
            "a case has at most {MAX_EXPRESSIONS} regular expressions, the patterns of its schemas counted"
        ));
    }
    Ok(())
}

/// What does not parse has no expressions, and is refused where it is read.
fn written_out(literal: &Literal) -> Value {
    serde_json::from_str(literal.0.get()).unwrap_or_default()
}

/// How many regular expressions an assertion has, or all members of a set.
fn expressions(assertion: &Value) -> usize {
    let kind = assertion["type"].as_str().unwrap_or_default();
    match kind.trim_start_matches("not-") {
        "regex" => 1,
        "is-json" | "contains-json" => patterns(&assertion["value"]),
        SET => assertion["assert"].as_array().into_iter().flatten().map(expressions).sum(),
        _ => 0,
    }
}

/// How many regular expressions a JSON Schema has.
fn patterns(schema: &Value) -> usize {
    match schema {
        Value::Array(parts) => parts.iter().map(patterns).sum(),
        Value::Object(members) => {
            let own = |(name, value): (&String, &Value)| match (name.as_str(), value) {
                ("pattern", Value::String(_)) => 1,
                ("patternProperties", Value::Object(named)) => named.len() + patterns(value),
                _ => patterns(value),
            };
            members.iter().map(own).sum()
        }
        _ => 0,
    }
}

/// Reads a list; an error says at which place.
fn each(
    written: &[Literal],
    parse: impl Fn(&Literal) -> Result<Assertion, String>,
) -> Result<Vec<Assertion>, String> {
    let numbered = written.iter().enumerate();
    numbered.map(|(index, one)| parse(one).map_err(|why| format!("assert {}: {why}", index + 1))).collect()
}

impl Assertion {
    /// Reads one assertion and prepares its check.
    pub(crate) fn parse(written: &Literal) -> Result<Self, String> {
        if is_set(written)? { Self::set(written) } else { Self::single(written) }
    }

    /// What `expected` alone means: `equals`, after trimming both.
    pub(crate) fn expected(expected: &Literal) -> Result<Self, String> {
        let check = match scalar(expected) {
            Some(text) => Check::EqualsTrimmed(text.trim().to_owned()),
            None => Check::EqualsJson(read(expected)?),
        };
        Self::new("equals".to_owned(), None, None, Body::Check(check))
    }

    fn set(written: &Literal) -> Result<Self, String> {
        let Definition { kind, value, threshold, weight, metric, provider, assert } = read(written)?;
        require_absent("value", value.is_some(), SET)?;
        require_absent("provider", provider.is_some(), SET)?;
        let assert = assert.ok_or_else(|| format!("missing field `assert` of {SET}"))?;
        if assert.is_empty() {
            return Err(format!("{SET} has at least one assertion in `assert`"));
        }
        if threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
            return Err(format!("`threshold` of {SET} is a number from 0 to 1"));
        }
        let members = each(&assert, |member| {
            if is_set(member)? {
                return Err(format!("`{SET}` cannot stand in another one; write its assertions beside it"));
            }
            Self::single(member)
        });
        let members = members.map_err(|why| format!("{SET}: {why}"))?;
        Self::new(kind, weight, metric, Body::Set(members, threshold))
    }

    fn single(written: &Literal) -> Result<Self, String> {
        let Named { kind } = read(written)?;
        require_supported(base(&kind))?;
        let Definition { kind, value, threshold, weight, metric, provider, assert } = read(written)?;
        require_absent("assert", assert.is_some(), &kind)?;
        let body = Parts { kind: base(&kind), value, threshold, provider }.body()?;
        Self::new(kind, weight, metric, body)
    }

    fn new(kind: String, weight: Option<f64>, metric: Option<String>, body: Body) -> Result<Self, String> {
        let weight = weight.unwrap_or(1.0);
        if !(0.0..=MAX_WEIGHT).contains(&weight) {
            return Err(format!("`weight` is a number from 0 to {MAX_WEIGHT}"));
        }
        if metric.as_ref().is_some_and(|metric| metric.chars().count() > MAX_NAME_CHARS) {
            return Err(format!("`metric` is at most {MAX_NAME_CHARS} characters"));
        }
        Ok(Self { negated: base(&kind).len() < kind.len(), kind, weight, metric, body })
    }
}

/// Reads what is written, strictly.
pub(super) fn read<T: DeserializeOwned>(written: &Literal) -> Result<T, String> {
    serde_json::from_str(written.as_str()).map_err(|error| plain(&error))
}

/// The type without `not-`.
fn base(kind: &str) -> &str {
    kind.strip_prefix("not-").unwrap_or(kind)
}

fn require_absent(field: &str, present: bool, kind: &str) -> Result<(), String> {
    if present { Err(format!("unknown field `{field}` of {kind}")) } else { Ok(()) }
}

fn is_set(written: &Literal) -> Result<bool, String> {
    let Named { kind } = object("an assertion", written.as_str().as_bytes())?;
    if kind != SET && base(&kind) == SET {
        return Err(format!("there is no `{kind}`; negate the assertions in it"));
    }
    Ok(kind == SET)
}

/// Says why a type, without `not-`, cannot be checked.
fn require_supported(kind: &str) -> Result<(), String> {
    if SUPPORTED.contains(&kind) {
        return Ok(());
    }
    let supported = SUPPORTED.join(", ");
    Err(if CODE.contains(&kind) {
        format!("`{kind}` runs code and is never supported; use one of {supported}")
    } else {
        format!("there is no assertion type `{kind}`; use one of {supported}")
    })
}
