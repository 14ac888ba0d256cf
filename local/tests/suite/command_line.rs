//! The program: what it says, what it refuses, and how it ends.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{client, get};

/// The program over a folder, without the demo workspace, on a port (0: any).
fn program(folder: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    for variable in ["LOG", "EVAL_CONCURRENCY", "MOCK_LATENCY_MS", "MOCK_FAILURE_RATE"] {
        command.env_remove(format!("CUECARD_{variable}"));
    }
    command.args(["--port", &port.to_string(), "--empty", "--data"]).arg(folder);
    command
}

/// A running program and what it said at its start.
struct Running {
    child: Child,
    said: Vec<String>,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, said: Vec::new(), stdout }
    }

    /// Starts it and reads until it has said everything.
    fn start(command: &mut Command) -> Self {
        let mut running = Self::spawn(command);
        while running.said.last().is_none_or(|line| !line.starts_with("Ctrl-C")) {
            let mut line = String::new();
            assert_ne!(running.stdout.read_line(&mut line).unwrap(), 0, "it ended after {:?}", running.said);
            running.said.push(line.trim_end().to_owned());
        }
        running
    }

    /// The word after a label.
    fn word_after(&self, label: &str) -> &str {
        let found = self.said.iter().find_map(|line| line.trim().strip_prefix(label));
        found.unwrap().split_whitespace().next().unwrap()
    }

    fn url(&self) -> &str {
        self.word_after("Cuecard listens on")
    }

    fn key(&self) -> &str {
        self.word_after("admin key")
    }

    fn commands(&self) -> Vec<&str> {
        self.said.iter().map(|line| line.trim()).filter(|line| line.starts_with("curl ")).collect()
    }

    /// Asks it to end; returns how it ended and what it said since its start.
    fn end(mut self) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed leaves nobody behind; one that did not has ended it already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pastes a command into a shell; an answer of 400 and more is a failure.
fn paste(command: &str) -> String {
    let output =
        Command::new("sh").args(["-c", &command.replacen("curl ", "curl --fail ", 1)]).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn it_says_where_it_is_and_its_commands_work_when_pasted() {
    let folder = TempDir::new().unwrap();
    let first = Running::start(&mut program(folder.path(), 0));
    let key = first.key().to_owned();
    let commands = first.commands();
    assert_eq!(commands.len(), 3);
    for command in commands {
        paste(command);
    }
    let file = folder.path().join("admin-key");
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), key);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let (status, log) = first.end();
    assert_eq!(status.code(), Some(0));
    let logged: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(logged.len(), 3, "a line for each request: {log}");
    assert!(logged.iter().all(|line| line["message"] == "request" && line["status"].is_u64()), "{log}");
    let says_whose = |line: &Value| line["key"].as_str().is_some_and(|key| key.starts_with("key_"));
    let of_api = |line: &Value| line["route"].as_str().is_some_and(|route| route.starts_with("/api/"));
    assert!(logged.iter().all(|line| of_api(line) == says_whose(line)), "whose request it was: {log}");
    assert!(!log.contains(&key), "and never the key's secret");

    // What the commands made is still there, and now they are about it.
    let second = Running::start(&mut program(folder.path(), 0));
    assert_eq!(second.key(), key);
    let shown: Vec<String> = second.commands().into_iter().map(paste).collect();
    assert!(shown[1].contains("hello") && shown[2].contains("hello"), "{shown:?}");
}

#[tokio::test]
async fn the_commands_of_the_demo_work_when_pasted() {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let running = Running::start(command.args(["--port", "0", "--data"]).arg(folder.path()));
    let shown: Vec<String> = running.commands().into_iter().map(paste).collect();
    assert!(shown[0].contains("reply-drafter"), "{}", shown[0]);
    assert!(shown[1].contains("I was charged twice this month."), "{}", shown[1]);
    assert!(shown[2].contains("demo workspace"), "{}", shown[2]);
}

#[tokio::test]
async fn a_given_key_is_an_admins_and_data_outlives_a_kill() {
    let folder = TempDir::new().unwrap();
    let quoted = "cue_it-1_with'quote";
    let start = || Running::start(program(folder.path(), 0).args(["--admin-key", quoted]));
    let mut first = start();
    for command in first.commands() {
        paste(command);
    }
    first.child.kill().unwrap();
    first.child.wait().unwrap();

    let second = start();
    let (status, prompts) = get(&format!("{}/api/prompts", second.url()), quoted).await;
    assert_eq!((status, prompts["data"].as_array().unwrap().len()), (200, 1), "{prompts}");
    assert!(!folder.path().join("admin-key").exists());
}

#[tokio::test]
async fn quiet_says_nothing_also_where_data_is_there_already() {
    let folder = TempDir::new().unwrap();
    Running::start(&mut program(folder.path(), 0)).end();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let running = Running::spawn(program(folder.path(), port).arg("--quiet"));
    let url = format!("http://127.0.0.1:{port}/healthz");
    while client().get(&url).send().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (status, said) = running.end();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

/// What the program says when it does not start: one line, on standard error, and nothing else.
fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
    assert!(said.starts_with("error: ") && said.lines().count() == 1, "{said}");
    said
}

#[test]
fn what_keeps_it_from_starting_is_one_line_that_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("file"), "").unwrap();
    fs::create_dir_all(path("damaged")).unwrap();
    fs::write(path("damaged/tables.sqlite"), "no database at all".repeat(1000)).unwrap();
    fs::create_dir_all(path("keyless")).unwrap();
    fs::write(path("keyless/admin-key"), "secret").unwrap();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port();
    let good = path("good");
    for (command, hint) in [
        (&mut program(&good, port), "--port"),
        (&mut program(&path("file/data"), 0), "name another folder"),
        (&mut program(&path("damaged"), 0), "restore a copy"),
        (&mut program(&path("keyless"), 0), "delete the file"),
        (program(&good, 0).args(["--admin-key", "cue_x"]), "--admin-key"),
        (program(&good, 0).env("CUECARD_MOCK_LATENCY_MS", "soon"), "CUECARD_MOCK_LATENCY_MS"),
    ] {
        let said = refusal(command);
        assert!(said.contains(hint), "{said}");
    }
}

#[test]
fn a_folder_serves_one_process_at_a_time() {
    let folder = TempDir::new().unwrap();
    let first = Running::start(&mut program(folder.path(), 0));
    let said = refusal(&mut program(folder.path(), 0));
    assert!(said.contains("in use by another process"), "{said}");
    assert_eq!(first.end().0.code(), Some(0));
}

#[test]
fn help_names_every_flag_and_shows_examples() {
    let output = Command::new(env!("CARGO_BIN_EXE_local")).arg("--help").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for word in ["--port", "--data", "--empty", "--admin-key", "--quiet", "Examples:", "CUECARD_LOG"] {
        assert!(said.contains(word), "{word} is missing: {said}");
    }
}
