//! What came of files, for people and for programs.

use client::{
    Page,
    versions::{FieldChange, TextChange},
};
use domain::diff::Diff;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    paper::{Paper, Row, Show},
    session::Session,
    show::show_changes,
};

/// What came of a file.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub prompt: String,
    pub file: String,
    /// What it came to, in a word.
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The newest version there is now.
    pub version: Option<u32>,
    /// From the registry's text to the file's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<Value>,
}

impl Line {
    /// With what changed.
    pub fn with_diff(self, diff: Option<&Diff>) -> Self {
        Self { diff: diff.map(|diff| json!(diff)), ..self }
    }
}

impl Row for Line {
    const COLUMNS: &'static [&'static str] = &["PROMPT", "OUTCOME", "VERSION", "WHY"];

    fn cells(&self) -> Vec<String> {
        let version = self.version.map_or_else(|| "-".to_owned(), |number| number.to_string());
        vec![
            self.prompt.clone(),
            self.outcome.to_owned(),
            version,
            self.why.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    }
}

/// Of files that are as they were, the number says enough.
struct Summary<'l>(&'l [Line]);

impl Serialize for Summary<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        Page { data: self.0.iter().collect(), next_cursor: None }.serialize(serializer)
    }
}

impl Show for Summary<'_> {
    fn show(&self, paper: &mut Paper) {
        let (same, others): (Vec<&Line>, Vec<&Line>) =
            self.0.iter().partition(|line| line.outcome == "no change");
        for line in &others {
            if let Some(diff) = &line.diff {
                paper.heading(&line.prompt);
                show_diff(paper, diff);
                paper.line("");
            }
        }
        if !others.is_empty() {
            let others: Vec<Line> = others.into_iter().cloned().collect();
            paper.table(&others);
        }
        if !same.is_empty() || self.0.is_empty() {
            paper.line(format!("No change: {}", same.len()));
        }
    }
}

#[derive(Deserialize)]
struct Changes {
    fields: Vec<FieldChange>,
    text: Vec<TextChange>,
}

/// The diff went through JSON, in which the API's and ours are one.
fn show_diff(paper: &mut Paper, diff: &Value) {
    if let Ok(Changes { fields, text }) = serde_json::from_str(&diff.to_string()) {
        show_changes(paper, ("registry", "file"), &fields, &text);
    }
}

/// Reports, and fails where `conflicts` are in the way.
pub fn report(session: &Session, lines: &[Line], conflicts: &str) -> Result {
    session.output.show(&Summary(lines))?;
    let count = lines.iter().filter(|line| line.outcome == "conflict").count();
    if count == 0 { Ok(()) } else { Err(Failure::Conflict(conflicts.to_owned())) }
}
