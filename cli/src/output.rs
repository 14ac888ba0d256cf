//! Where answers go: for people, or as JSON or YAML for programs. What is wrong goes to standard error.

use std::{
    io::{self, Write as _, stderr, stdout},
    process::ExitCode,
};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    arguments::Format,
    failure::{Failure, Result},
    paper::{Paper, Show, clean},
};

/// How answers are shown.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
}

impl Output {
    /// In this format.
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether a person reads it.
    pub fn is_human(self) -> bool {
        self.format == Format::Human
    }

    /// Shows an answer.
    pub fn show<T: Serialize + Show + ?Sized>(self, answer: &T) -> Result {
        if !self.is_human() {
            return self.show_fields(answer);
        }
        let mut paper = Paper::default();
        answer.show(&mut paper);
        print(paper.text().as_bytes())
    }

    /// Shows the fields of an answer; for people too, where nobody wrote a better way.
    pub fn show_fields<T: Serialize + ?Sized>(self, answer: &T) -> Result {
        print(self.text(answer)?.as_bytes())
    }

    /// Says what was done, in words for people and in fields for programs.
    pub fn say(self, words: &str, fields: &Value) -> Result {
        if self.is_human() {
            print(format!("{}\n", clean(words)).as_bytes())
        } else {
            self.show_fields(fields)
        }
    }

    /// Says what a dry run does not do.
    pub fn would(self, deed: &str) -> Result {
        self.say(&format!("Would {deed}."), &json!({ "dry_run": true, "would": deed }))
    }

    /// Says beside the answer what a person may want to know.
    pub fn note(self, words: &str) {
        if self.is_human() {
            // Where even this cannot be said, the answer still stands.
            let _ = writeln!(stderr(), "{}", clean(words));
        }
    }

    fn text<T: Serialize + ?Sized>(self, answer: &T) -> Result<String> {
        let unprintable =
            |error: &dyn std::error::Error| Failure::Failed(format!("This has no text: {error}"));
        match self.format {
            Format::Yaml => yaml_serde::to_string(answer).map_err(|error| unprintable(&error)),
            _ => serde_json::to_string_pretty(answer)
                .map(|text| text + "\n")
                .map_err(|error| unprintable(&error)),
        }
    }

    /// Says why a command failed, and gives its exit code.
    pub fn fail(self, failure: &Failure) -> ExitCode {
        if failure.is_closed_pipe() {
            return ExitCode::SUCCESS;
        }
        let text = if self.is_human() { for_people(failure) } else { self.for_programs(failure) };
        // Where even this cannot be said, the exit code says it.
        let _ = stderr().write_all(text.as_bytes());
        ExitCode::from(failure.exit_code())
    }

    fn for_programs(self, failure: &Failure) -> String {
        let document = match failure.problem() {
            Some(problem) => json!({ "error": problem, "exit_code": failure.exit_code() }),
            None => json!({ "error": { "detail": failure.chain() }, "exit_code": failure.exit_code() }),
        };
        self.text(&document).unwrap_or_else(|failure| format!("{failure}\n"))
    }
}

fn for_people(failure: &Failure) -> String {
    let mark = terminal::style("error:").for_stderr().red().bold();
    let mut lines = vec![format!("{mark} {}", clean(&failure.chain()))];
    if let Some(problem) = failure.problem() {
        let errors = problem.errors.iter();
        lines.extend(errors.map(|error| format!("  {}: {}", clean(&error.pointer), clean(&error.detail))));
        let run = problem.facts.get("eval_run_id").and_then(Value::as_str);
        lines.extend(run.map(|run| format!("  what went wrong: cuecard eval cases {run} --outcome failed")));
    }
    lines.join("\n") + "\n"
}

/// Hands on bytes as they are.
pub fn print(bytes: &[u8]) -> Result {
    let mut stdout = stdout().lock();
    let written: io::Result<()> = stdout.write_all(bytes).and_then(|()| stdout.flush());
    Ok(written?)
}
