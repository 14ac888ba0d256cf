//! The functions as Lambda runs them, and those who call them.

use e2e::{ADMIN, Answer, Call, Fleet, FleetSettings, text};
use serde_json::json;

pub(crate) struct Lambda {
    pub(crate) fleet: Fleet,
    url: String,
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
