//! A platform whose webhooks lead to a receiver of the test.

use axum::http::Method;
use domain::model::ModelEntry;
use e2e::{Call, World, WorldSettings, text};
use serde_json::{Value, json};
use testkit::provider::{Reply, ScriptedProvider};

use crate::receiver::{Message, Receiver};

/// A platform with a receiver.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) receiver: Receiver,
    _provider: ScriptedProvider,
}

impl Stage {
    /// Its model says back what it is told.
    pub(crate) async fn new() -> Self {
        let provider = ScriptedProvider::start(|call| Reply::Answer(call.user().to_owned())).unwrap();
        let model = json!({
            "model_id": "test/model", "provider": "openai", "base_url": provider.url(),
            "input_usd_per_mtok": 0, "output_usd_per_mtok": 0,
        });
        let builtin: Vec<ModelEntry> = vec![serde_json::from_value(model).unwrap()];
        let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
        Self { world, receiver: Receiver::start().await, _provider: provider }
    }

    /// A webhook of the team that leads to the receiver.
    pub(crate) async fn webhook(&self, team: &str, events: &[&str], format: &str) -> Value {
        let url = self.receiver.url();
        let body = json!({ "team_id": team, "url": url, "events": events, "format": format });
        self.world.admin(Call::post("/api/webhooks", &body)).await.expect(201)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.world.admin(Call::post(path, body)).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
        answer.json()
    }

    /// A prompt of the team whose first version is live in production, with its versions.
    pub(crate) async fn prompt(&self, team: &str, name: &str, versions: usize) -> (Value, Vec<Value>) {
        let prompt = self.world.prompt(team, name, &json!({})).await;
        let mut written = Vec::new();
        for number in 1..=versions {
            let content = json!({ "template_text": format!("version {number}") });
            written.push(self.world.version(&prompt, &content).await);
        }
        self.world.promote(&prompt, &written[0], "production").await.expect(200);
        (prompt, written)
    }

    /// A new version of a new prompt of the team `support`, evaluated on cases of which so many pass and fail.
    pub(crate) async fn judged(&self, name: &str, passing: usize, failing: usize) -> Value {
        let case = |number: usize| {
            let expected = if number <= passing { format!("question {number}") } else { "other".to_owned() };
            json!({ "vars": { "message": format!("question {number}") }, "expected": expected }).to_string()
        };
        let cases: Vec<_> = (1..=passing + failing).map(case).collect();
        let set = self.post("/api/test-sets", &json!({ "name": name, "team_id": "support" })).await;
        let put = Call::new(Method::PUT, format!("/api/test-sets/{}/versions", text(&set["test_set_id"])));
        self.world.admin(put.bytes("application/jsonl", cases.join("\n"))).await.expect(201);
        let gate = json!({ "mode": "required", "min_pass_rate": 0.8, "min_cases": 1 });
        let more = json!({ "test_set_id": set["test_set_id"], "gate": gate });
        let prompt = self.world.prompt("support", name, &more).await;
        self.world.version(&prompt, &json!({ "template_text": "{{ message }}" })).await
    }

    /// Lets everything happen that happens by itself, each message tried once, and returns what arrived.
    pub(crate) async fn told(&self) -> Vec<Message> {
        self.world.work().await;
        self.world.step_webhooks().await;
        self.receiver.arrived()
    }

    /// The same, by its types, in the order of what happened.
    pub(crate) async fn kinds(&self) -> Vec<String> {
        let mut told = self.told().await;
        told.sort_by(|a, b| a.id.cmp(&b.id));
        told.iter().map(Message::kind).collect()
    }
}

/// The path of a prompt, and further.
pub(crate) fn at(prompt: &Value, rest: &str) -> String {
    format!("/api/prompts/{}{rest}", text(&prompt["prompt_id"]))
}
