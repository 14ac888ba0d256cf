//! The journeys on real data, over HTTP, against the platform in this process.
//!
//! `make real-data` runs them and says in `REAL_DATA` where the data is. What they measure goes to standard error,
//! which the test runner does not hold back.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod api;
mod classifier;
mod command_line;
mod compared;
mod prompts;

use std::{
    fs,
    io::{Write as _, stderr},
    path::PathBuf,
};

use local::{Platform, Settings};
use runtime::Variables;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::sync::Mutex;

/// Journeys go one after the other, so that what one measures is its own.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A file of the real data, as it is.
fn file(name: &str) -> String {
    let mut variables = Variables::read();
    let folder = PathBuf::from(variables.required("REAL_DATA"));
    variables.finish().expect("`make real-data` says where the data is");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The lines of a JSONL file.
fn lines<T: DeserializeOwned>(text: &str) -> Vec<T> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn platform(folder: &TempDir) -> Platform {
    Platform::start(Settings::new(folder.path())).await.unwrap()
}

fn say(line: &str) {
    writeln!(stderr(), "  {line}").unwrap();
}
