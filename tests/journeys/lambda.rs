//! The functions as Lambda runs them, and those who call them.

use axum::http::Method;
use e2e::{ADMIN, Answer, Call, Fleet, FleetSettings, text};
use serde_json::{Value, json};
use testkit::provider::ScriptedProvider;

pub(crate) struct Lambda {
    pub(crate) fleet: Fleet,
    pub(crate) url: String,
}

impl Lambda {
    pub(crate) async fn start(settings: FleetSettings) -> Self {
        let fleet = Fleet::start(settings).await;
        let url = fleet.url();
        Self { fleet, url }
    }

    pub(crate) async fn admin(&self, call: Call) -> Answer {
        call.key(ADMIN).send_to(&self.url).await
    }

    /// Calls until something other than a dead process answers. The key makes it the same request each time.
    pub(crate) async fn insist(&self, call: Call, once: &str) -> Answer {
        for _ in 0..50 {
            let answer = self.admin(call.clone().header("idempotency-key", once)).await;
            if !answer.status.is_server_error() {
                return answer;
            }
        }
        panic!("{once}: dead processes alone answer");
    }

    /// A test set of so many cases, and the model `test/model` of this provider, which passes them when it is an echo.
    pub(crate) async fn test_set(&self, provider: &ScriptedProvider, cases: usize) -> String {
        let model = json!({
            "provider": "openai", "base_url": provider.url(), "input_usd_per_mtok": 0, "output_usd_per_mtok": 0,
        });
        self.admin(Call::put("/api/models/test%2Fmodel", &model)).await.expect(200);
        let set = json!({ "name": "questions", "team_id": "support" });
        let set = self.admin(Call::post("/api/test-sets", &set)).await.expect(201);
        let set = text(&set["test_set_id"]).to_owned();
        let case =
            |n: usize| json!({ "vars": { "q": n.to_string() }, "expected": n.to_string() }).to_string();
        let cases: Vec<_> = (1..=cases).map(case).collect();
        let put = Call::new(Method::PUT, format!("/api/test-sets/{set}/versions"));
        self.admin(put.bytes("application/jsonl", cases.join("\n"))).await.expect(201);
        set
    }

    /// All of a list.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.insist(Call::get(format!("{path}?limit=100{cursor}")), "read").await.expect(200);
            all.extend_from_slice(page["data"].as_array().unwrap());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// A prompt with two versions; the ids of all three.
    pub(crate) async fn prompt(&self, name: &str) -> (String, [String; 2]) {
        let body = json!({ "name": name, "team_id": "support", "gate": { "mode": "off" } });
        let prompt = self.insist(Call::post("/api/prompts", &body), name).await.expect(201);
        let prompt = text(&prompt["prompt_id"]).to_owned();
        let mut versions = Vec::new();
        for words in ["one", "two"] {
            let body = json!({ "model_id": "m", "template_text": words });
            let call = Call::post(format!("/api/prompts/{prompt}/versions"), &body);
            let made = self.insist(call, &format!("{name} {words}")).await.expect(201);
            versions.push(text(&made["version_id"]).to_owned());
        }
        (prompt, versions.try_into().unwrap())
    }

    /// Lets the first version of a prompt go live.
    pub(crate) async fn promote(&self, prompt: &str, version: &str) {
        let body = json!({ "version_id": version, "environment": "production" });
        let call = Call::post(format!("/api/prompts/{prompt}/promote"), &body);
        self.insist(call, &format!("promote {version}")).await.expect(200);
    }

    /// The secret of a new key of the team `support`, and its id.
    pub(crate) async fn resolver(&self) -> (String, String) {
        let body = json!({ "team_id": "support", "role": "resolver", "name": "application" });
        let key = self.admin(Call::post("/api/keys", &body)).await.expect(201);
        (text(&key["secret"]).to_owned(), text(&key["key_id"]).to_owned())
    }
}
