//! The assertions of a promptfoo test, on their way to ours: variables filled in, and what we do not do
//! refused.

use std::rc::Rc;

use super::{
    MAX_CASE_BYTES,
    intake::Problem,
    node::{Data, Entry, Node, Place},
    placeholder::{Variables, fill},
    yaml,
};
use crate::assertion::Assertion;

/// The fields that have a meaning here.
const FIELDS: [&str; 7] = ["type", "value", "threshold", "weight", "metric", "provider", "assert"];

/// An assertion as it will be stored. `room` is how many bytes the case may still have.
pub(super) fn filled(node: &Node, variables: &Variables, room: &mut usize) -> Result<Node, Problem> {
    let mut entries = Vec::new();
    for entry in node.entries("an assertion")?.iter().filter(|entry| !entry.value.is_null()) {
        let value = match (entry.key.as_str(), &entry.value.data) {
            (name, _) if !FIELDS.contains(&name) => {
                return Err(entry.place.problem(format!("`{name}` of an assertion is not supported")));
            }
            ("assert", Data::List(items)) => {
                let items: Result<_, _> =
                    items.iter().map(|item| filled(item, variables, room).map(Rc::new)).collect();
                Rc::new(Node::new(&entry.value.place, Data::List(items?)))
            }
            ("value", _) => Rc::new(value(&entry.value, is_schema(node), variables, room)?),
            ("metric", Data::Text(metric)) => {
                let place = &entry.value.place;
                let metric = fill(metric, variables, room).map_err(|why| place.problem(why))?;
                Rc::new(Node::text(place, &metric))
            }
            _ => Rc::clone(&entry.value),
        };
        entries.push(Entry { value, ..entry.clone() });
    }
    Ok(Node::new(&node.place, Data::Map(entries)))
}

/// What is wrong with a filled assertion, at the innermost place that is known.
pub(super) fn fault(node: &Node) -> Option<Problem> {
    let written = match node.literal(&mut MAX_CASE_BYTES.clone()) {
        Ok(written) => written,
        Err(problem) => return Some(problem),
    };
    let detail = Assertion::parse(&written).err()?;
    let members = node.get("assert").and_then(|members| members.items("").ok()).unwrap_or_default();
    members.iter().find_map(|member| fault(member)).or_else(|| Some(node.place.problem(detail)))
}

/// Refuses what promptfoo would read from a file.
pub(super) fn require_inline(place: &Place, text: &str) -> Result<(), Problem> {
    match ["file://", "package:"].iter().find(|scheme| text.starts_with(**scheme)) {
        Some(scheme) => {
            Err(place.problem(format!("`{scheme}` reads a file, which is not here; write the value itself")))
        }
        None => Ok(()),
    }
}

/// Whether the assertion's value is a JSON schema, which promptfoo also takes as a text.
fn is_schema(node: &Node) -> bool {
    let Some(Data::Text(kind)) = node.get("type").map(|kind| &kind.data) else { return false };
    matches!(kind.strip_prefix("not-").unwrap_or(kind), "is-json" | "contains-json")
}

fn value(node: &Node, schema: bool, variables: &Variables, room: &mut usize) -> Result<Node, Problem> {
    match &node.data {
        Data::Text(text) => {
            let text = text_of(&node.place, text, variables, room)?;
            if !schema {
                return Ok(Node::text(&node.place, &text));
            }
            let parsed = yaml::parse(&text, 8 * MAX_CASE_BYTES).map_err(|(line, detail)| {
                node.place.problem(format!("line {line} of the schema: {detail}"))
            })?;
            Ok(Node::new(&node.place, parsed.data.clone()))
        }
        Data::List(items) => {
            let items: Result<_, Problem> = items
                .iter()
                .map(|item| match &item.data {
                    Data::Text(text) => {
                        let text = text_of(&item.place, text, variables, room)?;
                        Ok(Rc::new(Node::text(&item.place, &text)))
                    }
                    _ => Ok(Rc::clone(item)),
                })
                .collect();
            Ok(Node::new(&node.place, Data::List(items?)))
        }
        // promptfoo leaves what is inside of mappings alone.
        _ => Ok(node.clone()),
    }
}

fn text_of(place: &Place, text: &str, variables: &Variables, room: &mut usize) -> Result<String, Problem> {
    require_inline(place, text)?;
    fill(text, variables, room).map_err(|why| place.problem(why))
}
