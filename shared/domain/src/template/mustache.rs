//! Mustache, the small part that prompts use: `{{name}}` is replaced by the variable's value, and nothing else is.

use std::ops::Range;

use super::{
    budget::{Budget, Outcome},
    names::Names,
    value::Value,
};

/// A parsed template; its texts are ranges of the source.
#[derive(Debug)]
pub(super) struct Mustache {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(Range<usize>),
    Variable(usize),
}

/// Whether mustache templates may name a variable so: it begins with a letter or `_`, then come letters, digits,
/// `_`, `-` and `.`, of any script. Sections, partials and comments of full mustache are no names, and stay as text.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

impl Mustache {
    pub(super) fn parse(source: &str, names: &mut Names) -> Self {
        let mut parts = Vec::new();
        let (mut start, mut from) = (0, 0);
        while let Some(open) = source[from..].find("{{").map(|found| from + found) {
            // The text up to the next brace is looked at once, so reading takes linear time.
            let inside = source[open + 2..].split(['{', '}']).next().unwrap_or_default();
            let close = open + 2 + inside.len();
            let name = inside.trim_matches(' ');
            if !is_name(name) || !source[close..].starts_with("}}") {
                from = open + 1;
                continue;
            }
            parts.push(Part::Text(start..open));
            parts.push(Part::Variable(names.used(name, open)));
            from = close + 2;
            start = from;
        }
        parts.push(Part::Text(start..source.len()));
        Self { parts }
    }

    /// One pass: what a value holds is never looked at again.
    pub(super) fn render(&self, source: &str, inputs: &[Value], budget: &mut Budget) -> Outcome<String> {
        let mut out = String::with_capacity(source.len());
        for part in &self.parts {
            match part {
                Part::Text(range) => budget.push(&mut out, &source[range.clone()])?,
                Part::Variable(name) => inputs[*name].print(&mut out, budget)?,
            }
        }
        Ok(out)
    }
}
