//! What the bench says.

use std::time::Duration;

pub(crate) use e2e::report::{line, target};

/// A line of the table.
pub(crate) struct Row {
    pub(crate) system: &'static str,
    /// How many cases it was told to work on at once; `None`: its default.
    pub(crate) workers: Option<u32>,
    /// The model's.
    pub(crate) latency: Duration,
    /// From the request or the start of the program to the verdict.
    pub(crate) took: Duration,
    /// The part of it that the system itself calls evaluating.
    pub(crate) evaluating: Duration,
}

impl Row {
    /// Prints it.
    pub(crate) fn print(&self) {
        let workers = self.workers.map_or_else(|| "default".to_owned(), |workers| workers.to_string());
        line(&format!(
            "{:12}{workers:>8}{:>18}{:>16}{:>20}",
            self.system,
            seconds(self.latency),
            seconds(self.took),
            seconds(self.evaluating)
        ));
    }
}

/// Prints the heading of the table.
pub(crate) fn heading(cases: u32) {
    line(&format!("system      at once  model's latency s  {cases} cases, s  without its start s"));
}

/// In seconds, to the hundredth.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}
