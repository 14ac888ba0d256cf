//! The built programs are killed while prompts are promoted and evaluated, and lose nothing.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use e2e::{ARCHIVE, Call, FleetSettings, text};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::provider::{CallInfo, Reply, ScriptedProvider};
use tokio::time::{Instant, sleep};

use crate::lambda::Lambda;

/// Who is killed in the storm.
const KILLED: [&str; 4] = ["authoring", "dispatch", "propagate", "eval-worker"];

/// How often each of them must have been killed before the storm is over.
const KILLS: usize = 6;

/// How many promotions must have succeeded by then.
const MOVES: usize = 30;

/// The longest that a storm lasts.
const STORM: Duration = Duration::from_secs(30);

/// How long the platform may take to come to rest after a storm.
const REST: Duration = Duration::from_mins(1);

/// How long a run stands still here before it is sent again. A case whose worker died comes again sooner.
const STUCK: Duration = Duration::from_secs(3);

/// The cases of a run.
const CASES: usize = 3;

/// A platform with prompts that have a test set and a model, and movers who change them.
struct Storm {
    lambda: Lambda,
    prompts: Vec<(String, [String; 2])>,
    moved: AtomicUsize,
    over: AtomicBool,
}

/// What somebody was told.
#[derive(Default)]
struct Told {
    /// The answers to promotions.
    moves: Vec<Value>,
    /// The runs that versions began with.
    runs: Vec<String>,
}

impl Storm {
    async fn new(provider: &ScriptedProvider) -> (Self, Told) {
        let lambda = Lambda::start(FleetSettings::default()).await;
        let set = lambda.test_set(provider, CASES).await;
        let (moved, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (mut storm, mut told) = (Self { lambda, prompts: Vec::new(), moved, over }, Told::default());
        for name in ["a", "b", "c"] {
            let body =
                json!({ "name": name, "team_id": "support", "gate": { "mode": "off" }, "test_set_id": set });
            let prompt = storm.lambda.admin(Call::post("/api/prompts", &body)).await.expect(201);
            let prompt = text(&prompt["prompt_id"]).to_owned();
            let mut versions = Vec::new();
            for number in ["one", "two"] {
                let version = storm.write(&prompt, &format!("{name} {number}")).await;
                told.runs.push(text(&version["eval_run_id"]).to_owned());
                versions.push(text(&version["version_id"]).to_owned());
            }
            storm.prompts.push((prompt, versions.try_into().unwrap()));
        }
        (storm, told)
    }

    /// A new version, of which an echo passes every case.
    async fn write(&self, prompt: &str, once: &str) -> Value {
        let body =
            json!({ "template_text": "{{ q }}", "model_id": "test/model", "config": { "once": once } });
        let call = Call::post(format!("/api/prompts/{prompt}/versions"), &body);
        self.lambda.insist(call, once).await.expect(201)
    }

    /// Promotes, and now and then writes a version, until the storm is over.
    async fn rage(&self, mover: usize) -> Told {
        let mut told = Told::default();
        let (prompt, versions) = &self.prompts[mover % self.prompts.len()];
        for number in 0_usize.. {
            if self.over.load(Ordering::SeqCst) {
                break;
            }
            let body = json!({ "version_id": versions[number % 2], "environment": "production" });
            let call = Call::post(format!("/api/prompts/{prompt}/promote"), &body);
            let answer = self.lambda.insist(call, &format!("move {mover} {number}")).await.expect(200);
            told.moves.push(answer);
            self.moved.fetch_add(1, Ordering::SeqCst);
            if number.is_multiple_of(4) {
                let version = self.write(prompt, &format!("version {mover} {number}")).await;
                told.runs.push(text(&version["eval_run_id"]).to_owned());
            }
        }
        told
    }

    /// Kills until each has been killed often enough; how often each was.
    async fn kill(&self, seed: u64) -> [usize; KILLED.len()] {
        let (mut random, mut kills) = (seed, [0; KILLED.len()]);
        let begun = Instant::now();
        while kills.iter().any(|kills| *kills < KILLS) || self.moved.load(Ordering::SeqCst) < MOVES {
            assert!(begun.elapsed() < STORM, "{:?} moves, {kills:?} of {KILLED:?} killed", self.moved);
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let draw = usize::try_from(random >> 40).unwrap();
            let function = draw % KILLED.len();
            let killed = self.lambda.fleet.function(KILLED[function]).kill_one(draw / KILLED.len() % 2).await;
            kills[function] += usize::from(killed);
            sleep(Duration::from_millis(40 + random % 120)).await;
        }
        self.over.store(true, Ordering::SeqCst);
        kills
    }

    /// The run, after its end.
    async fn ended(&self, run: &str, deadline: Instant) -> Value {
        loop {
            let call = Call::get(format!("/api/evals/{run}?wait=1"));
            let run = self.lambda.admin(call).await.expect(200);
            if !["queued", "running"].contains(&text(&run["status"])) {
                return run;
            }
            assert!(Instant::now() < deadline, "it does not end: {run}");
            // A dispatcher that died between its claim and the queue has left a run that nobody works on.
            self.lambda.fleet.sweep_runs(STUCK).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_a_storm_of_promotions_and_evaluations_they_lose_nothing() {
    const SEED: u64 = 20_261_120;
    const MOVERS: usize = 6;
    let provider = ScriptedProvider::start(|call: &CallInfo| Reply::Answer(call.user().to_owned())).unwrap();
    provider.set_latency(Duration::from_millis(20));
    let (storm, mut told) = Storm::new(&provider).await;
    let begun = Instant::now();
    let movers = join_all((0..MOVERS).map(|mover| storm.rage(mover)));
    let (all, kills) = tokio::join!(movers, storm.kill(SEED));
    for one in all {
        told.moves.extend(one.moves);
        told.runs.extend(one.runs);
    }
    println!("{:?}: {} moves, {} runs, kills {kills:?}", begun.elapsed(), told.moves.len(), told.runs.len());
    check_runs(&storm, &told).await;
    println!("{:?}: every run has ended after {} calls", begun.elapsed(), provider.calls());
    for (prompt, _) in &storm.prompts {
        check_records(&storm.lambda, prompt, &told.moves).await;
    }
    println!("{:?}: every entry is archived", begun.elapsed());
}

/// Every run that was told of is there and no other, and each ends with every case done once. Beside a version that is
/// written while what is live was not measured yet, that is measured too.
async fn check_runs(storm: &Storm, told: &Told) {
    let (mut versions, mut all) = (BTreeSet::new(), Vec::new());
    for (prompt, _) in &storm.prompts {
        for run in storm.lambda.list(&format!("/api/prompts/{prompt}/evals")).await {
            let id = text(&run["eval_run_id"]).to_owned();
            all.push(id.clone());
            if run["purpose"] != "baseline" {
                versions.insert(id);
            }
        }
    }
    assert_eq!(versions, told.runs.iter().cloned().collect(), "a run for each version that was written");
    let (deadline, mut again, mut died) = (Instant::now() + REST, 0, 0);
    for run in &all {
        let run = storm.ended(run, deadline).await;
        let count = |name: &str| usize::try_from(run[name].as_u64().unwrap()).unwrap();
        let (passed, errored) = (count("passed_cases"), count("errored_cases"));
        assert_eq!((count("completed_cases"), passed + errored), (CASES, CASES), "{run}");
        again += count("redelivered_cases");
        if errored == 0 {
            assert_eq!(text(&run["status"]), "completed", "{run}");
            continue;
        }
        died += errored;
        let path = format!("/api/evals/{}/cases?outcome=errored", text(&run["eval_run_id"]));
        for case in storm.lambda.admin(Call::get(path)).await.expect(200)["data"].as_array().unwrap() {
            assert!(text(&case["error"]).starts_with("No worker survived this case"), "{case}");
        }
    }
    println!("{again} cases were sent again, {died} killed three workers");
}

/// Ref, history, audit and archive tell one story.
async fn check_records(lambda: &Lambda, prompt: &str, answers: &[Value]) {
    let told: HashSet<u64> = answers
        .iter()
        .filter(|answer| answer["prompt_id"] == prompt)
        .map(|answer| answer["revision"].as_u64().unwrap())
        .collect();
    let reference = Call::get(format!("/api/prompts/{prompt}/environments/production"));
    let reference = lambda.insist(reference, "read").await.expect(200);
    let moves = lambda.list(&format!("/api/prompts/{prompt}/history")).await;
    let revisions: HashSet<u64> =
        moves.iter().map(|entry| entry["after"]["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions, told, "each move was told once, and each that was told was made");
    assert_eq!(reference["revision"], json!(moves.len()), "the ref moved as often as its history says");
    assert_eq!(moves[0]["after"]["version_id"], reference["version_id"]);
    let export = lambda.insist(Call::get(format!("/api/audit/export?prompt_id={prompt}")), "read").await;
    domain::audit::export::verify(&export.text()).unwrap();
    let mut entries = BTreeMap::new();
    for line in export.text().lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if line.as_object_mut().unwrap().remove("type").unwrap() == "entry" {
            entries.insert(text(&line["audit_id"]).to_owned(), line);
        }
    }
    assert_eq!(archived(lambda, prompt, entries.len()).await, entries);
}

/// What lies in the archive of a prompt, by the names of the objects, once there is as much of it.
async fn archived(lambda: &Lambda, prompt: &str, count: usize) -> BTreeMap<String, Value> {
    let s3 = testkit::clients(lambda.fleet.engines.endpoints()).s3;
    let deadline = Instant::now() + REST;
    let keys = loop {
        let list = s3.list_objects_v2().bucket(ARCHIVE).prefix(format!("audit/{prompt}/"));
        let pages: Vec<_> = list.into_paginator().send().collect::<Result<_, _>>().await.unwrap();
        let objects = pages.into_iter().flat_map(|page| page.contents.unwrap_or_default());
        let keys: Vec<_> = objects.filter_map(|object| object.key).collect();
        if keys.len() >= count {
            break keys;
        }
        assert!(Instant::now() < deadline, "{} of {count} entries are archived", keys.len());
        sleep(Duration::from_millis(50)).await;
    };
    let read = |key: &String| {
        let get = s3.get_object().bucket(ARCHIVE).key(key);
        let id = key.rsplit('/').next().unwrap().trim_end_matches(".json").to_owned();
        async move {
            let bytes = get.send().await.unwrap().body.collect().await.unwrap().to_vec();
            (id, serde_json::from_slice(&bytes).unwrap())
        }
    };
    join_all(keys.iter().map(read)).await.into_iter().collect()
}
