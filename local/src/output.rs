//! What people read while the platform starts.

use std::io::{Write as _, stdout};

/// Standard output, or silence.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    quiet: bool,
}

impl Output {
    /// `quiet`: nothing is said.
    pub fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Says a line.
    pub fn say(self, line: &str) {
        if !self.quiet {
            // Nobody may be reading any more, and that is no reason to stop serving.
            let _ = writeln!(stdout(), "{line}");
        }
    }
}
