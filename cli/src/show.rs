//! How answers look to a person.

mod admin;
mod changes;
mod evals;
mod figures;
mod moves;
mod prompts;
mod splits;
mod versions;

use client::Page;
use domain::Timestamp;

use crate::paper::{Paper, Row, Show};

pub use changes::show_changes;
pub use versions::verdict;

impl<T: Row> Show for Page<T> {
    fn show(&self, paper: &mut Paper) {
        if self.data.is_empty() {
            paper.line("Nothing.");
            return;
        }
        paper.table(&self.data);
        if self.next_cursor.is_some() {
            paper.line(format!("{} are shown; there are more: --limit or --all", self.data.len()));
        }
    }
}

/// A value, or a dash.
fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A share as per cent.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A number with as many digits as tell something.
fn figure(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A moment to the second.
fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    text.split('.').next().unwrap_or(&text).replace('T', " ")
}
