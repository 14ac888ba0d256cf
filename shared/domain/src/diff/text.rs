//! The difference of two texts: a unified diff whose changed lines say which words changed.

use std::ops::Range;

use serde::Serialize;
use similar::{ChangeTag, DiffOp, DiffTag, TextDiff, group_diff_ops};

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// The most bytes of a block of changed lines, before and after together, whose words are compared.
const MAX_WORDS: usize = 64 << 10;

/// A text that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TextChange {
    /// The field that holds the text.
    pub field: &'static str,
    /// How closely the texts were compared.
    pub level: Level,
    /// The places that changed, in order.
    pub hunks: Vec<Hunk>,
}

/// How closely two texts were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// By lines, and the words of each changed line.
    Word,
    /// By lines: some changed block is too large to compare its words.
    Line,
}

/// A changed place with its surroundings, as in a unified diff (`@@ -old_start,old_lines +new_start,new_lines @@`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hunk {
    /// The first old line, from 1; where there is none, the line before.
    pub old_start: usize,
    /// How many old lines there are.
    pub old_lines: usize,
    /// The first new line, from 1; where there is none, the line before.
    pub new_start: usize,
    /// How many new lines there are.
    pub new_lines: usize,
    /// All lines, the deleted ones of a change before the inserted ones.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Whether it stayed, went or came.
    pub tag: Tag,
    /// The line with its line ending, if it has one.
    pub text: String,
    /// The same text in pieces, where words were compared; else empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Piece>,
}

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// It stayed.
    Equal,
    /// It went.
    Delete,
    /// It came.
    Insert,
}

/// A part of a changed line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// Whether this part changed.
    pub changed: bool,
    /// The part.
    pub text: String,
}

impl TextChange {
    /// Compares two different texts.
    pub fn between(field: &'static str, old: &str, new: &str) -> Self {
        let old: Vec<_> = old.split_inclusive('\n').collect();
        let new: Vec<_> = new.split_inclusive('\n').collect();
        let operations = TextDiff::configure().diff_slices(&old, &new).ops().to_vec();
        let is_large = |change: &DiffOp| {
            change.tag() == DiffTag::Replace && !has_words(&old[change.old_range()], &new[change.new_range()])
        };
        let level = if operations.iter().any(is_large) { Level::Line } else { Level::Word };
        let groups = group_diff_ops(operations, CONTEXT);
        Self { field, level, hunks: groups.iter().map(|group| Hunk::of(group, &old, &new)).collect() }
    }
}

impl Hunk {
    fn of(operations: &[DiffOp], old: &[&str], new: &[&str]) -> Self {
        let mut lines = Vec::new();
        for operation in operations {
            let (before, after) = (&old[operation.old_range()], &new[operation.new_range()]);
            match operation.tag() {
                DiffTag::Equal => lines.extend(before.iter().map(|text| Line::whole(Tag::Equal, text))),
                _ => lines.extend(changed(before, after)),
            }
        }
        // A group is never empty, and its operations follow each other.
        let (head, tail) = (operations[0], operations[operations.len() - 1]);
        let old_range = head.old_range().start..tail.old_range().end;
        let new_range = head.new_range().start..tail.new_range().end;
        let first = |range: &Range<usize>| {
            if range.is_empty() { range.start } else { range.start + 1 }
        };
        Self {
            old_start: first(&old_range),
            old_lines: old_range.len(),
            new_start: first(&new_range),
            new_lines: new_range.len(),
            lines,
        }
    }
}

/// Whether the words of a replaced block are compared.
fn has_words(gone: &[&str], come: &[&str]) -> bool {
    gone.iter().chain(come).map(|line| line.len()).sum::<usize>() <= MAX_WORDS
}

/// The lines of a changed block, in pieces where it replaces others and its words are compared.
fn changed(gone: &[&str], come: &[&str]) -> Vec<Line> {
    let (mut deleted, mut inserted) = (Pieces::new(Tag::Delete, gone), Pieces::new(Tag::Insert, come));
    if !gone.is_empty() && !come.is_empty() && has_words(gone, come) {
        let diff = TextDiff::configure().diff_unicode_words(gone.concat(), come.concat());
        for change in diff.iter_all_changes() {
            let is_equal = change.tag() == ChangeTag::Equal;
            if change.tag() != ChangeTag::Insert {
                deleted.push(change.value(), !is_equal);
            }
            if change.tag() != ChangeTag::Delete {
                inserted.push(change.value(), !is_equal);
            }
        }
    }
    deleted.lines.into_iter().chain(inserted.lines).collect()
}

/// Lines that are being filled with pieces.
struct Pieces {
    lines: Vec<Line>,
    /// The line that the next piece belongs to, and how many of its bytes are filled.
    line: usize,
    filled: usize,
}

impl Pieces {
    fn new(tag: Tag, texts: &[&str]) -> Self {
        Self { lines: texts.iter().map(|text| Line::whole(tag, text)).collect(), line: 0, filled: 0 }
    }

    /// Words end where lines end, so a word lies in one line.
    fn push(&mut self, word: &str, changed: bool) {
        let Some(line) = self.lines.get_mut(self.line) else {
            return;
        };
        match line.pieces.last_mut() {
            Some(piece) if piece.changed == changed => piece.text.push_str(word),
            _ => line.pieces.push(Piece { changed, text: word.to_owned() }),
        }
        self.filled += word.len();
        if self.filled >= line.text.len() {
            self.line += 1;
            self.filled = 0;
        }
    }
}

impl Line {
    fn whole(tag: Tag, text: &str) -> Self {
        Self { tag, text: text.to_owned(), pieces: Vec::new() }
    }
}
