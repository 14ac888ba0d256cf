//! How two versions differ: side by side or inline, word by word, settings too.

use axum::extract::State;
use domain::{
    Prompt, PromptId, Version,
    content::Literal,
    diff::{FieldChange, Hunk, Line, Tag, TextChange},
};
use serde::Serialize;
use serde_json::Value;
use store::PageRequest;

use crate::{App, failure::Answer, pages::Page, visit::Visit};

/// From how many bytes on, before and after together, a value is no short one.
const LONG: usize = 160;

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    from: Version,
    to: Version,
    fields: Vec<FieldChange>,
    texts: Vec<Text>,
    side_by_side: bool,
    same: bool,
    /// The versions that may be chosen.
    numbers: Vec<u32>,
}

/// A text that changed.
#[derive(Serialize)]
struct Text {
    field: String,
    hunks: Vec<Vec<Row>>,
}

/// What stands beside each other; inline, what went stands above what came.
#[derive(Serialize)]
struct Row {
    old: Option<Numbered>,
    new: Option<Numbered>,
}

#[derive(Serialize)]
struct Numbered {
    number: usize,
    changed: bool,
    line: Line,
}

impl Text {
    fn new(change: TextChange) -> Self {
        Self { field: change.field.to_owned(), hunks: change.hunks.into_iter().map(rows).collect() }
    }

    /// A value that is too long to stand beside another is compared line by line.
    fn of_field(change: FieldChange) -> Self {
        let lines = |value: Option<Literal>| {
            let value = value.and_then(|value| serde_json::from_str::<Value>(value.as_str()).ok());
            value.map_or_else(String::new, |value| format!("{value:#}\n"))
        };
        let compared = TextChange::between("", &lines(change.from), &lines(change.to));
        Self { field: change.field, ..Self::new(compared) }
    }
}

fn is_long(change: &FieldChange) -> bool {
    let length = |value: &Option<Literal>| value.as_ref().map_or(0, |value| value.as_str().len());
    length(&change.from) + length(&change.to) > LONG
}

/// Lines that stayed stand in both columns; those of a change begin on the same row.
fn rows(hunk: Hunk) -> Vec<Row> {
    let (mut old_number, mut new_number) = (hunk.old_start, hunk.new_start);
    let (mut rows, mut gone, mut come) = (Vec::new(), Vec::new(), Vec::new());
    for line in hunk.lines {
        let numbered = |number: &mut usize, line| {
            *number += 1;
            Numbered { number: *number - 1, changed: true, line }
        };
        match line.tag {
            Tag::Delete => gone.push(numbered(&mut old_number, line)),
            Tag::Insert => come.push(numbered(&mut new_number, line)),
            Tag::Equal => {
                beside(&mut rows, &mut gone, &mut come);
                let old = Numbered { changed: false, ..numbered(&mut old_number, line.clone()) };
                let new = Numbered { changed: false, ..numbered(&mut new_number, line) };
                rows.push(Row { old: Some(old), new: Some(new) });
            }
        }
    }
    beside(&mut rows, &mut gone, &mut come);
    rows
}

fn beside(rows: &mut Vec<Row>, gone: &mut Vec<Numbered>, come: &mut Vec<Numbered>) {
    let (mut gone, mut come) = (std::mem::take(gone).into_iter(), std::mem::take(come).into_iter());
    loop {
        match (gone.next(), come.next()) {
            (None, None) => return,
            (old, new) => rows.push(Row { old, new }),
        }
    }
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    let registry = app.registry();
    let address = visit.path::<PromptId>("prompt")?.to_string();
    let prompt = registry.prompt(&visit.caller, &address).await?;
    let newest = prompt.newest_version.map_or(1, |newest| newest.number);
    let named =
        |name: &str, default: u32| visit.query.given(name).map_or_else(|| default.to_string(), str::to_owned);
    let (from, to) = (named("from", newest.saturating_sub(1).max(1)), named("to", newest));
    let (from, to, diff) = registry.diff(&visit.caller, &address, &from, &to).await?;
    let versions = registry.versions(&visit.caller, &address, &PageRequest::first(50)).await?;
    let title = format!("{} · {} → {}", prompt.name, from.number, to.number);
    let same = diff.is_empty();
    let (long, fields) = diff.fields.into_iter().partition(is_long);
    let long = Vec::into_iter(long).map(Text::of_field);
    let context = Context {
        same,
        fields,
        texts: diff.text.into_iter().map(Text::new).chain(long).collect(),
        side_by_side: visit.query.text("view") != "inline",
        numbers: versions.data.iter().map(|details| details.version.number).collect(),
        prompt,
        from,
        to,
    };
    app.show(&visit, &Page { title: &title, part: "prompts", template: "diff.html" }, &context).await
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;

    #[test]
    fn a_long_value_is_compared_by_lines() {
        let value = |last: &str| Some(Literal(to_raw_value(&[&"a".repeat(100), last]).unwrap()));
        let change = FieldChange { field: "config.words".to_owned(), from: value("b"), to: value("c") };
        assert!(is_long(&change));
        let text = Text::of_field(change);
        let changed = text.hunks[0].iter().filter(|row| row.old.as_ref().is_some_and(|line| line.changed));
        assert_eq!((text.field.as_str(), changed.count()), ("config.words", 1));
    }

    #[test]
    fn what_changed_stands_beside_what_it_was() {
        let line = |tag, text: &str| Line { tag, text: text.to_owned(), pieces: Vec::new() };
        let lines = vec![
            line(Tag::Equal, "a"),
            line(Tag::Delete, "b"),
            line(Tag::Insert, "c"),
            line(Tag::Insert, "d"),
            line(Tag::Equal, "e"),
        ];
        let rows = rows(Hunk { old_start: 4, old_lines: 3, new_start: 4, new_lines: 4, lines });
        let numbers =
            |row: &Row| (row.old.as_ref().map(|line| line.number), row.new.as_ref().map(|line| line.number));
        let expected = [(Some(4), Some(4)), (Some(5), Some(5)), (None, Some(6)), (Some(6), Some(7))];
        assert_eq!(rows.iter().map(numbers).collect::<Vec<_>>(), expected);
    }
}
