//! An assertion in one cell of a table, as promptfoo writes it: `type(threshold):value`, or a text to be
//! equal to.

use std::rc::Rc;

use super::{
    node::{Data, Entry, Node, Place},
    yaml::decimal,
};
use crate::assertion::split_list;

/// promptfoo's types, with those that we refuse: a text that begins with none of them is a text to be equal
/// to.
const TYPES: [&str; 63] = [
    "agent-rubric",
    "answer-relevance",
    "bleu",
    "classifier",
    "contains",
    "contains-all",
    "contains-any",
    "contains-html",
    "contains-json",
    "contains-sql",
    "contains-xml",
    "context-faithfulness",
    "context-recall",
    "context-relevance",
    "conversation-relevance",
    "cost",
    "equals",
    "factuality",
    "finish-reason",
    "g-eval",
    "gleu",
    "guardrails",
    "icontains",
    "icontains-all",
    "icontains-any",
    "is-html",
    "is-json",
    "is-refusal",
    "is-sql",
    "is-valid-function-call",
    "is-valid-openai-function-call",
    "is-valid-openai-tools-call",
    "is-xml",
    "javascript",
    "latency",
    "levenshtein",
    "llm-rubric",
    "meteor",
    "model-graded-closedqa",
    "model-graded-factuality",
    "moderation",
    "perplexity",
    "perplexity-score",
    "pi",
    "python",
    "regex",
    "rouge-n",
    "ruby",
    "search-rubric",
    "similar",
    "skill-used",
    "starts-with",
    "tool-call-f1",
    "trace-error-spans",
    "trace-span-count",
    "trace-span-duration",
    "trajectory:goal-success",
    "trajectory:step-count",
    "trajectory:tool-args-match",
    "trajectory:tool-sequence",
    "trajectory:tool-used",
    "webhook",
    "word-count",
];

/// How types begin that hold a colon.
const COLON: &str = "trajectory:";

/// Older names, and what they are called now.
const ALIASES: [(&str, &str); 3] = [("eval:", "javascript"), ("fn:", "javascript"), ("grade:", "llm-rubric")];

/// What promptfoo takes in a table where no threshold is written; elsewhere its defaults are ours.
const THRESHOLDS: [(&str, &str); 2] = [("levenshtein", "0.75"), ("similar", "0.8")];

/// The assertion that a cell says, as a mapping.
pub(super) fn assertion(place: &Place, cell: &str) -> Node {
    let text = cell.trim();
    let alias = ALIASES.iter().find_map(|(name, kind)| Some((*kind, text.strip_prefix(name)?)));
    let (kind, threshold, value) = match alias {
        Some((kind, value)) => (kind, None, Some(value)),
        None => split(text).unwrap_or(("equals", None, Some(text))),
    };
    let base = kind.strip_prefix("not-").unwrap_or(kind);
    let implied = THRESHOLDS.iter().find(|(kind, _)| *kind == base).map(|(_, implied)| (*implied).to_owned());
    let mut entries: Vec<Entry> = vec![Node::text(place, kind).named("type")];
    if let Some(value) = value {
        let value = match base {
            "contains-all" | "contains-any" | "icontains-all" | "icontains-any" => match split_list(value) {
                Ok(items) => {
                    let items = items.iter().map(|item| Rc::new(Node::text(place, item)));
                    Node::new(place, Data::List(items.collect()))
                }
                // Whoever reads the assertion says what is wrong with it.
                Err(_) => Node::text(place, value.trim()),
            },
            _ => Node::text(place, value.trim()),
        };
        entries.push(value.named("value"));
    }
    if let Some(threshold) = threshold.or(implied) {
        entries.push(Node::new(place, Data::Scalar(threshold)).named("threshold"));
    }
    Node::new(place, Data::Map(entries))
}

/// Type, threshold and value; `None` if the text begins with no type.
fn split(text: &str) -> Option<(&str, Option<String>, Option<&str>)> {
    let base = text.strip_prefix("not-").unwrap_or(text);
    let begins = text.len() - base.strip_prefix(COLON).unwrap_or(text).len();
    let (head, value) = match text[begins..].split_once(':') {
        Some((rest, value)) => (&text[..begins + rest.len()], Some(value)),
        None => (text, None),
    };
    let (kind, threshold) = match head.strip_suffix(')').and_then(|head| head.split_once('(')) {
        Some((kind, threshold)) => (kind, Some(decimal(threshold)?)),
        None => (head, None),
    };
    TYPES.contains(&kind.strip_prefix("not-").unwrap_or(kind)).then_some((kind, threshold, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_set::MAX_CASE_BYTES;

    #[test]
    fn cells_are_read_as_promptfoo_reads_them() {
        for (cell, expected) in [
            ("Bern", r#"{"type":"equals","value":"Bern"}"#),
            (" Note: see (1) ", r#"{"type":"equals","value":"Note: see (1)"}"#),
            ("containing: x", r#"{"type":"equals","value":"containing: x"}"#),
            ("contains: a:b ", r#"{"type":"contains","value":"a:b"}"#),
            ("not-icontains:x", r#"{"type":"not-icontains","value":"x"}"#),
            ("not-not-contains:x", r#"{"type":"equals","value":"not-not-contains:x"}"#),
            ("is-json", r#"{"type":"is-json"}"#),
            ("contains-any: a, b", r#"{"type":"contains-any","value":["a","b"]}"#),
            (r#"contains-any: "a, b",,"c ""d""" "#, r#"{"type":"contains-any","value":["a, b","c \"d\""]}"#),
            (r#"contains-all: "a"#, r#"{"type":"contains-all","value":"\"a"}"#),
            ("similar:x", r#"{"type":"similar","value":"x","threshold":0.8}"#),
            ("similar(0.9):x", r#"{"type":"similar","value":"x","threshold":0.9}"#),
            ("not-levenshtein(5):x", r#"{"type":"not-levenshtein","value":"x","threshold":5}"#),
            ("latency(500)", r#"{"type":"latency","threshold":500}"#),
            ("latency(soon)", r#"{"type":"equals","value":"latency(soon)"}"#),
            ("grade:is kind", r#"{"type":"llm-rubric","value":"is kind"}"#),
            ("fn:output", r#"{"type":"javascript","value":"output"}"#),
            ("tool-call-f1(0.5):a", r#"{"type":"tool-call-f1","value":"a","threshold":0.5}"#),
            ("not-trajectory:tool-used:a:b", r#"{"type":"not-trajectory:tool-used","value":"a:b"}"#),
            ("trajectory:unknown:a", r#"{"type":"equals","value":"trajectory:unknown:a"}"#),
            ("python:x", r#"{"type":"python","value":"x"}"#),
        ] {
            let node = assertion(&Place::line(1), cell);
            let json = node.literal(&mut MAX_CASE_BYTES.clone()).unwrap();
            assert_eq!(json.as_str(), expected, "{cell}");
        }
    }
}
