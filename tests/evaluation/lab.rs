//! What these tests share: a platform with a scripted model, test sets, and the runs of versions.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use domain::{eval_run::CaseMessage, model::ModelEntry};
use e2e::{Call, World, WorldSettings, text};
use eval_worker::App;
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::provider::{CallInfo, Reply, ScriptedProvider};

/// More rounds over the queue than any run of these tests takes.
const ROUNDS: usize = 90;

/// A platform whose models answer what a script says.
pub(crate) struct Lab {
    pub(crate) world: World,
    pub(crate) provider: ScriptedProvider,
}

/// Says back what the user says.
pub(crate) fn echo(call: &CallInfo) -> Reply {
    Reply::Answer(call.user().to_owned())
}

/// Answers a question that a prompt names itself before, as in `v2 question 7`, unless that version misses the number.
pub(crate) fn without(
    misses: impl Fn(&str, usize) -> bool + Send + Sync + 'static,
) -> impl Fn(&CallInfo) -> Reply + Send + Sync + 'static {
    move |call| {
        let (version, question) = call.user().split_once(' ').unwrap();
        let number = question.rsplit(' ').next().unwrap().parse().unwrap();
        Reply::Answer(if misses(version, number) { "no".to_owned() } else { question.to_owned() })
    }
}

/// A model of this provider that costs nothing.
pub(crate) fn model(model_id: &str, provider: &ScriptedProvider) -> ModelEntry {
    let entry = json!({
        "model_id": model_id, "provider": "openai", "base_url": provider.url(),
        "input_usd_per_mtok": 0, "output_usd_per_mtok": 0,
    });
    serde_json::from_value(entry).unwrap()
}

/// Cases of which, by an echo, the first so many pass and the others fail.
pub(crate) fn cases(passing: usize, failing: usize) -> Vec<Value> {
    let case = |number: usize| {
        let question = format!("question {number}");
        let expected = if number <= passing { question.as_str() } else { "another answer" };
        json!({ "case_id": format!("c{number}"), "vars": { "message": question }, "expected": expected })
    };
    (1..=passing + failing).map(case).collect()
}

/// Cases as they are uploaded.
pub(crate) fn jsonl(cases: &[Value]) -> String {
    cases.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A gate that judges a run of any size.
pub(crate) fn any_size() -> Value {
    json!({ "mode": "required", "min_pass_rate": 0.8, "min_cases": 1 })
}

impl Lab {
    /// `test/model` answers by this script.
    pub(crate) async fn new(script: impl Fn(&CallInfo) -> Reply + Send + Sync + 'static) -> Self {
        let provider = ScriptedProvider::start(script).unwrap();
        let builtin = vec![model("test/model", &provider)];
        let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
        Self { world, provider }
    }

    /// Reads as the admin.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.world.admin(Call::get(path)).await.expect(200)
    }

    /// Posts as the admin.
    pub(crate) async fn post(&self, path: &str, body: &Value, status: u16) -> Value {
        self.world.admin(Call::post(path, body)).await.expect(status)
    }

    /// A new test set of the team `support`; returns its id.
    pub(crate) async fn test_set(&self, cases: &[Value]) -> String {
        let body = json!({ "name": "a test set", "team_id": "support" });
        let set = text(&self.post("/api/test-sets", &body, 201).await["test_set_id"]).to_owned();
        let put = Call::new(axum::http::Method::PUT, format!("/api/test-sets/{set}/versions"));
        self.world.admin(put.bytes("application/jsonl", jsonl(cases))).await.expect(201);
        set
    }

    /// A new prompt of the team `support` with these cases and a gate that judges a run of any size.
    pub(crate) async fn prompt(&self, name: &str, cases: &[Value]) -> Value {
        let set = self.test_set(cases).await;
        self.world.prompt("support", name, &json!({ "test_set_id": set, "gate": any_size() })).await
    }

    /// A version of a new prompt that says the message of each of these cases.
    pub(crate) async fn version(&self, name: &str, cases: &[Value]) -> Value {
        // Ids of one moment have no order.
        self.world.clock.advance(Duration::from_millis(1));
        let prompt = self.prompt(name, cases).await;
        self.world.version(&prompt, &json!({ "template_text": "{{ message }}" })).await
    }

    /// A version of a prompt that says its own name before the message of each case.
    pub(crate) async fn saying(&self, prompt: &Value, name: &str) -> Value {
        self.world.clock.advance(Duration::from_millis(1));
        self.world.version(prompt, &json!({ "template_text": format!("{name} {{{{ message }}}}") })).await
    }

    /// A new version of the prompt's test set.
    pub(crate) async fn new_cases(&self, prompt: &Value, cases: &[Value]) {
        let path = format!("/api/test-sets/{}/versions", text(&prompt["test_set_id"]));
        let put = Call::new(axum::http::Method::PUT, path);
        self.world.admin(put.bytes("application/jsonl", jsonl(cases))).await.expect(201);
    }

    /// The version's run in Markdown.
    pub(crate) async fn summary(&self, version: &Value) -> String {
        self.world.admin(Call::get(run_path(version, "/summary"))).await.text()
    }

    /// The version's run, as far as it is.
    pub(crate) async fn run(&self, version: &Value) -> Value {
        self.get(&run_path(version, "")).await
    }

    /// The version's run, after all that can be done was done.
    pub(crate) async fn finished(&self, version: &Value) -> Value {
        self.world.work().await;
        self.run(version).await
    }

    /// The version's run after its end, where cases wait for their turn: between two rounds over the queue a second
    /// passes, and two by the clock.
    pub(crate) async fn ended(&self, version: &Value) -> Value {
        self.world.step_stream().await;
        for _ in 0..ROUNDS {
            join_all((0..8).map(|_| self.world.step_queue())).await;
            let run = self.get(&run_path(version, "?wait=1")).await;
            if run["status"] != "queued" && run["status"] != "running" {
                return run;
            }
            self.world.clock.advance(Duration::from_secs(2));
        }
        panic!("after {ROUNDS} rounds it goes on: {}", self.run(version).await);
    }

    /// What came of the cases of the version's run; `query` begins with `?`.
    pub(crate) async fn cases(&self, version: &Value, query: &str) -> Vec<Value> {
        self.get(&run_path(version, &format!("/cases{query}"))).await["data"].as_array().unwrap().clone()
    }

    /// What is said about the version now.
    pub(crate) async fn status(&self, version: &Value) -> String {
        let found = self.get(&format!("/api/versions/{}", text(&version["version_id"]))).await;
        text(&found["eval_status"]).to_owned()
    }
}

/// A worker gets these cases in one batch.
pub(crate) async fn work(worker: &App, cases: &[CaseMessage]) {
    let record = |(number, case): (usize, &CaseMessage)| {
        json!({
            "messageId": number.to_string(), "body": serde_json::to_string(case).unwrap(),
            "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:cuecard-eval",
            "attributes": {}, "messageAttributes": {},
        })
    };
    let records: Vec<Value> = cases.iter().enumerate().map(record).collect();
    let event: SqsEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
    let answer = eval_worker::handle(event, worker).await.unwrap();
    assert!(answer.batch_item_failures.is_empty(), "a case that is sent again is nobody's failure");
}

/// A path under the run that a version began with.
pub(crate) fn run_path(version: &Value, rest: &str) -> String {
    format!("/api/evals/{}{rest}", text(&version["eval_run_id"]))
}

/// Members of an object, in this order.
pub(crate) fn members(value: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| value[name].clone()).collect()
}

/// The names of cases.
pub(crate) fn ids_of(cases: &[Value]) -> Vec<String> {
    cases.iter().map(|case| text(&case["case_id"]).to_owned()).collect()
}

/// Cases of a run by outcome: total, completed, passed, failed, errored.
pub(crate) fn tally(run: &Value) -> Value {
    members(run, &["total_cases", "completed_cases", "passed_cases", "failed_cases", "errored_cases"])
}
