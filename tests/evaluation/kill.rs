//! The program `local`, killed at random moments: every run ends after a restart, and nothing is lost or twice.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use e2e::{ADMIN, any_seed, local_binary};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{SeededEntropy, provider::ScriptedProvider};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::{
    MACHINE,
    faults::{assert_as_they_should, faulty},
    lab::{cases, echo, members, run_path, tally},
    over_http::{Api, content},
};

/// How often it is killed, over all runs.
const KILLS: usize = 10;

/// The cases of a run.
const CASES: u64 = 200;

/// The longest that it lives before it is killed.
const LIFE: Duration = Duration::from_secs(3);

/// How many lives in a row may pass without a case done. After five a run is given up, and has its own test.
const LIVES_IN_VAIN: usize = 3;

/// How long a program that nobody kills may take for a case: a call that hangs is given up after a minute.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running program.
struct Program {
    folder: PathBuf,
    child: Child,
    api: Api,
    /// Kept open: a program whose output nobody takes is another story.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts it over a folder; it serves when this returns.
    async fn start(folder: &Path) -> Self {
        let mut command = Command::new(local_binary());
        for name in ["LOG", "EVAL_CONCURRENCY", "MOCK_LATENCY_MS", "MOCK_FAILURE_RATE"] {
            command.env_remove(format!("CUECARD_{name}"));
        }
        command.args(["--empty", "--port", "0", "--admin-key", ADMIN, "--data"]).arg(folder);
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = said.next_line().await.unwrap().expect("it says where it listens");
            if let Some(url) = line.strip_prefix("Cuecard listens on ") {
                let api = Api::new(url, ADMIN);
                return Self { folder: folder.to_owned(), child, api, _said: said };
            }
        }
    }

    /// Kills it with SIGKILL and starts it again over the same folder.
    async fn kill(&mut self) {
        self.child.kill().await.unwrap();
        *self = Self::start(&self.folder.clone()).await;
    }

    /// The run of a version, after its end or 25 s.
    async fn run(&self, version: &Value) -> Value {
        self.api.get(&run_path(version, "?wait=25")).await
    }

    /// The run of a version, when it has ended.
    async fn ended(&self, version: &Value) -> Value {
        let ended = async {
            loop {
                let run = self.run(version).await;
                if run["status"] != "queued" && run["status"] != "running" {
                    return run;
                }
            }
        };
        timeout(2 * PATIENCE, ended).await.expect("it ends when it is left alone")
    }

    /// How many cases of the run are done.
    async fn done(&self, version: &Value) -> u64 {
        self.api.get(&run_path(version, "")).await["completed_cases"].as_u64().unwrap()
    }

    /// Is killed at random moments until the run ends or it was killed often enough; returns how often.
    async fn live(&mut self, version: &Value, moments: &SeededEntropy, most: usize) -> usize {
        let mut in_vain = 0;
        for kills in 0..most {
            let done = self.done(version).await;
            let progress = async {
                while in_vain >= LIVES_IN_VAIN && done < CASES && self.done(version).await == done {}
            };
            timeout(PATIENCE, progress).await.expect("it goes on when it is left alone");
            if timeout(LIFE.mul_f64(moments.unit()), self.run(version)).await.is_ok() {
                return kills;
            }
            self.kill().await;
            in_vain = if self.done(version).await > done { 0 } else { in_vain + 1 };
        }
        most
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_ten_random_moments_every_run_ends_and_no_case_is_lost_or_counted_twice() {
    let _alone = MACHINE.lock().await;
    let seed = any_seed();
    let moments = SeededEntropy::new(seed);
    let provider = ScriptedProvider::start(echo).unwrap();
    provider.set_latency(Duration::from_millis(200));
    let folder = TempDir::new().unwrap();
    let mut program = Program::start(folder.path()).await;
    let versions = program.api.prompt(&provider, &cases(190, 10)).await;
    let (mut kills, mut runs, mut redelivered) = (0, 0, 0);
    while kills < KILLS {
        runs += 1;
        let called = provider.calls();
        let (status, version) = program.api.post(&versions, &content(runs)).await;
        assert_eq!(status, 201, "{version}");
        kills += program.live(&version, &moments, KILLS - kills).await;
        let run = program.ended(&version).await;
        assert_eq!(
            members(&run, &["status", "gate_result"]),
            json!(["completed", "pass"]),
            "seed {seed}: {run}"
        );
        assert_eq!(tally(&run), json!([200, 200, 190, 10, 0]), "seed {seed}");
        let again = run["redelivered_cases"].as_u64().unwrap();
        let calls = provider.calls() - called;
        println!("run {runs}: {kills} kills so far, {calls} calls, {again} cases sent again");
        assert!(
            (CASES..=CASES + again).contains(&calls),
            "seed {seed}: {calls} calls, {again} cases sent again"
        );
        redelivered += again;
    }
    assert!(redelivered > 0, "seed {seed}: no kill met a run");
    program.child.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_everything_goes_wrong_at_the_provider_each_case_ends_as_it_should() {
    let _alone = MACHINE.lock().await;
    let seed = any_seed();
    let provider = ScriptedProvider::start(faulty(seed)).unwrap();
    provider.set_latency(Duration::from_millis(200));
    let folder = TempDir::new().unwrap();
    let mut program = Program::start(folder.path()).await;
    let versions = program.api.prompt(&provider, &cases(180, 20)).await;
    let (status, version) = program.api.post(&versions, &content(1)).await;
    assert_eq!(status, 201, "{version}");
    let kills = program.live(&version, &SeededEntropy::new(seed), KILLS).await;
    assert!(kills > 0, "seed {seed}: it was never killed");
    let run = program.ended(&version).await;
    println!("{kills} kills, {} calls, {} cases sent again", provider.calls(), run["redelivered_cases"]);
    assert_eq!(tally(&run), json!([200, 200, 179, 20, 1]), "seed {seed}");
    assert_eq!(members(&run, &["status", "gate_result"]), json!(["completed", "pass"]), "seed {seed}: {run}");
    assert_as_they_should(&program.api.cases(&version).await, seed);
    program.child.kill().await.unwrap();
}
