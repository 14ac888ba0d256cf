//! The programs of the workspace, for tests that run them as people and Lambda do.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{LazyLock, Mutex},
};

use serde_json::Value;

/// The functions, by the names of their programs.
pub const FUNCTIONS: [&str; 12] = [
    "authoring",
    "console",
    "dispatch",
    "eval-worker",
    "ingest",
    "notify",
    "propagate",
    "resolve",
    "rollback",
    "rollup",
    "steer",
    "try",
];

/// The server that stands for the cache, where `make tools` puts it.
pub fn cache_program() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/bin/redis-server"))
}

/// The server whose engines others wrote, likewise.
pub fn moto_program() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/bin/moto_server"))
}

/// The program `local`.
pub fn local_binary() -> PathBuf {
    bootstrap("local", Profile::Dev)
}

/// How programs are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// As tests are: quickly.
    Dev,
    /// As benches are.
    Release,
    /// As functions are for their deployment, but for this machine.
    Lambda,
}

/// The program of a function, as it would be deployed but for the profile.
///
/// Built here and once: for a test, cargo builds those of its own package alone.
pub fn bootstrap(function: &str, profile: Profile) -> PathBuf {
    static BUILT: LazyLock<Mutex<HashMap<(String, Profile), PathBuf>>> = LazyLock::new(Mutex::default);
    let mut built = BUILT.lock().expect("no build failed");
    let wanted = (function.to_owned(), profile);
    if !built.contains_key(&wanted) {
        let programs = if profile != Profile::Lambda && FUNCTIONS.contains(&function) {
            &FUNCTIONS[..]
        } else {
            &[function]
        };
        built.extend(build(programs, profile).into_iter().map(|(name, path)| ((name, profile), path)));
    }
    built[&wanted].clone()
}

/// Builds programs. But for the deployment it is with the features of the whole workspace, which `make test` has built
/// already.
fn build(programs: &[&str], profile: Profile) -> HashMap<String, PathBuf> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--locked", "--message-format", "json"]);
    match profile {
        Profile::Dev => command.arg("--workspace"),
        Profile::Release => command.args(["--workspace", "--release"]),
        Profile::Lambda => {
            command.args(programs.iter().flat_map(|program| ["-p", program])).args(["--profile", "lambda"])
        }
    };
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
