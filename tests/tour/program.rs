//! The program that `make run` starts.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// The running program; it ends with this value.
pub(crate) struct Program {
    child: Child,
    said: Vec<String>,
    /// Kept open for as long as the program runs.
    stdout: BufReader<ChildStdout>,
}

impl Program {
    /// Starts it on a free port, which logs from this level on, and waits until it has said everything. Nobody reads on
    /// before its end, and a full pipe would stop it.
    pub(crate) fn start(folder: &Path, level: &str) -> Self {
        let mut command = Command::new(e2e::local_binary());
        for variable in ["EVAL_CONCURRENCY", "MOCK_LATENCY_MS", "MOCK_FAILURE_RATE"] {
            command.env_remove(format!("CUECARD_{variable}"));
        }
        command.env("CUECARD_LOG", level);
        command.args(["--port", "0", "--data"]).arg(folder);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said: Vec<String> = Vec::new();
        while said.last().is_none_or(|line| !line.starts_with("Ctrl-C")) {
            let mut line = String::new();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it ended after {said:?}");
            said.push(line);
        }
        Self { child, said, stdout }
    }

    /// What it said at its start.
    pub(crate) fn said(&self) -> String {
        self.said.concat()
    }

    /// Ends it, and returns what it wrote since its start.
    pub(crate) fn end(&mut self) -> String {
        let _ = self.child.kill();
        let mut written = String::new();
        self.stdout.read_to_string(&mut written).unwrap();
        written
    }

    /// Where it listens: host and port.
    pub(crate) fn address(&self) -> &str {
        let found = self.said.iter().find_map(|line| line.strip_prefix("Cuecard listens on http://"));
        found.unwrap().trim()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
