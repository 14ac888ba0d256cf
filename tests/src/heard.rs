//! The log of a test.

use std::{
    fs::File,
    io::{Read as _, Seek as _},
    sync::Arc,
};

use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Hears what this thread logs.
pub struct Heard {
    file: File,
    _hearing: DefaultGuard,
}

impl Heard {
    /// Begins to listen.
    pub fn listen() -> Self {
        let file = tempfile::tempfile().expect("there is a temporary folder");
        let out = file.try_clone().expect("a file can be opened again");
        let log = tracing_subscriber::fmt().json().flatten_event(true).with_writer(Arc::new(out));
        Self { file, _hearing: log.finish().set_default() }
    }

    /// What the lines say that belong to a trace.
    pub fn of_trace(&self, trace: &str) -> Vec<String> {
        let mut written = String::new();
        let mut file = &self.file;
        file.rewind().expect("a file begins somewhere");
        file.read_to_string(&mut written).expect("what was written is text");
        let lines = written.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"));
        let lines = lines.filter(|line: &Value| line["trace_id"] == trace);
        lines.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}
