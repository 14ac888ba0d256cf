//! The programs of the workspace, for tests that run them as people and Lambda do.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::{Command, Stdio},
    sync::LazyLock,
};

use serde_json::Value;

/// The functions, by the names of their programs.
pub const FUNCTIONS: [&str; 8] =
    ["authoring", "dispatch", "eval-worker", "propagate", "resolve", "rollback", "steer", "try"];

/// The program `local`.
pub fn local_binary() -> PathBuf {
    static BINARY: LazyLock<PathBuf> =
        LazyLock::new(|| build(&["local"], Profile::Dev).remove("local").expect("it is built"));
    BINARY.clone()
}

/// How programs are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// As tests are: quickly.
    Dev,
    /// As `make run` is.
    Release,
}

/// The program of a function, as it would be deployed but for the profile.
pub fn bootstrap(function: &str, profile: Profile) -> PathBuf {
    static DEV: LazyLock<HashMap<String, PathBuf>> = LazyLock::new(|| build(&FUNCTIONS, Profile::Dev));
    static RELEASE: LazyLock<HashMap<String, PathBuf>> =
        LazyLock::new(|| build(&FUNCTIONS, Profile::Release));
    let built = if profile == Profile::Dev { &DEV } else { &RELEASE };
    built.get(function).expect("it is a function").clone()
}

/// Builds programs here: for a test, cargo builds those of its own package alone. With the features of the whole
/// workspace, which `make test` has built already.
fn build(programs: &[&str], profile: Profile) -> HashMap<String, PathBuf> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--locked", "--workspace", "--message-format", "json"]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    for program in programs {
        command.args(["--bin", program]);
    }
    let built = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "{programs:?} do not build");
    let messages = String::from_utf8_lossy(&built.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = |message: Value| {
        let name = message["target"]["name"].as_str()?.to_owned();
        Some((name, PathBuf::from(message["executable"].as_str()?)))
    };
    messages.filter_map(program).collect()
}
