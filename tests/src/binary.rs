//! The program `local`, for tests that run it as people do.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::LazyLock,
};

use serde_json::Value;

/// The program `local`. It is built here: for a test, cargo builds the programs of its own package alone.
pub fn local_binary() -> PathBuf {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(build);
    BINARY.clone()
}

/// With the features of the whole workspace, which `make test` has built already.
fn build() -> PathBuf {
    let options = ["build", "--locked", "--workspace", "--bin", "local", "--message-format", "json"];
    let mut command = Command::new(env!("CARGO"));
    let built =
        command.args(options).current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit()).output();
    let built = built.expect("cargo runs");
    assert!(built.status.success(), "`local` does not build");
    let messages = String::from_utf8_lossy(&built.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter(|message| message["target"]["name"] == "local");
    let program = programs.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    program.expect("cargo names the program that it built")
}
