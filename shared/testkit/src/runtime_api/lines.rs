//! The last lines that a process wrote.

use std::{collections::VecDeque, io, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    sync::watch,
};

/// How many lines are kept.
const KEPT: usize = 1000;

/// Shared by those who write and those who read.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines(Arc<watch::Sender<VecDeque<String>>>);

impl Lines {
    /// Takes what is there.
    pub(super) fn take(&self) -> Vec<String> {
        self.0.send_replace(VecDeque::new()).into()
    }

    /// Takes what is there when it is so many lines.
    pub(super) async fn wait(&self, count: usize) -> Vec<String> {
        // The sender is held here: the wait ends by its condition alone.
        let _ = self.0.subscribe().wait_for(|lines| lines.len() >= count).await;
        self.take()
    }

    /// What is there, as a text.
    pub(super) fn text(&self) -> String {
        self.0.borrow().iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Keeps what `from` says until its end, whatever its encoding: a process must never wait for its reader.
    pub(super) async fn read(&self, from: impl AsyncRead + Unpin) -> io::Result<()> {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).await? > 0 {
            self.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
        Ok(())
    }

    fn push(&self, line: String) {
        self.0.send_modify(|lines| {
            if lines.len() == KEPT {
                lines.pop_front();
            }
            lines.push_back(line);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_lines_are_kept_and_taken_once() {
        let lines = Lines::default();
        let said: Vec<_> = (0..=KEPT).map(|line| line.to_string()).collect();
        lines.read(format!("{}\n", said.join("\n")).as_bytes()).await.unwrap();
        lines.read(&b"\xff without an end"[..]).await.unwrap();
        let taken = lines.take();
        assert_eq!(
            (taken.len(), taken[0].as_str(), taken[KEPT - 1].as_str()),
            (KEPT, "2", "\u{fffd} without an end")
        );
        assert_eq!((lines.text(), lines.take().len()), (String::new(), 0));
    }
}
