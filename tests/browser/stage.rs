//! A platform over HTTP, a model that a script stands for, and what is there before somebody comes.

use axum::http::Method;
use e2e::{ADMIN, Call, text};
use local::{Platform, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::provider::{CallInfo, Reply, ScriptedProvider};

use crate::tab::Tab;

/// The model that the script stands for.
pub(crate) const MODEL: &str = "test/model";

/// A running platform.
pub(crate) struct Stage {
    pub(crate) platform: Platform,
    pub(crate) provider: ScriptedProvider,
    _folder: TempDir,
}

/// Says back what the user says.
fn echo(call: &CallInfo) -> Reply {
    Reply::Answer(call.user().to_owned())
}

/// Cases of which, by an echo, the first so many pass and the others fail.
pub(crate) fn cases(passing: usize, failing: usize) -> String {
    let case = |number: usize| {
        let question = format!("question {number}");
        let expected = if number <= passing { question.as_str() } else { "another answer" };
        json!({ "case_id": format!("c{number}"), "vars": { "message": question }, "expected": expected })
    };
    (1..=passing + failing).map(|number| case(number).to_string() + "\n").collect()
}

impl Stage {
    /// An empty platform whose model says back what it is asked.
    pub(crate) async fn empty() -> Self {
        Self::with(echo).await
    }

    /// An empty platform whose model answers by this script.
    pub(crate) async fn with(script: impl Fn(&CallInfo) -> Reply + Send + Sync + 'static) -> Self {
        let folder = TempDir::with_prefix("cuecard-").unwrap();
        let settings = Settings { admin_key: Some(ADMIN.to_owned()), ..Settings::new(folder.path()) };
        let platform = Platform::start(settings).await.unwrap();
        let provider = ScriptedProvider::start(script).unwrap();
        let stage = Self { platform, provider, _folder: folder };
        let model = json!({
            "provider": "openai", "base_url": stage.provider.url(),
            "input_usd_per_mtok": 1, "output_usd_per_mtok": 2,
        });
        stage.done(Call::put(format!("/api/models/{MODEL}"), &model)).await;
        stage
    }

    /// Calls the API as the admin, and insists that it works.
    pub(crate) async fn done(&self, call: Call) -> Value {
        let answer = call.key(ADMIN).send_to(self.platform.url()).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        answer.json()
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.done(Call::get(path)).await
    }

    /// Makes something.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.done(Call::post(path, body)).await
    }

    /// Waits until a run has its verdict.
    pub(crate) async fn decided(&self, run: &str) -> Value {
        loop {
            let found = self.get(&format!("/api/evals/{run}?wait=25")).await;
            if !["queued", "running"].contains(&text(&found["status"])) {
                break found;
            }
        }
    }

    /// A new key.
    pub(crate) async fn key(&self, role: &str, name: &str) -> String {
        let body = json!({ "team_id": "support", "role": role, "name": name });
        text(&self.post("/api/keys", &body).await["secret"]).to_owned()
    }

    /// A test set of `support` with these cases; returns its id.
    pub(crate) async fn test_set(&self, name: &str, cases: String) -> String {
        self.test_set_of("support", name, cases).await
    }

    /// The same of another team.
    pub(crate) async fn test_set_of(&self, team: &str, name: &str, cases: String) -> String {
        let set = self.post("/api/test-sets", &json!({ "name": name, "team_id": team })).await;
        let set = text(&set["test_set_id"]);
        let put = Call::new(Method::PUT, format!("/api/test-sets/{set}/versions"));
        self.done(put.bytes("application/jsonl", cases)).await;
        set.to_owned()
    }

    /// A prompt of `support` whose gate lets everything through unless `more` says otherwise; returns its id.
    pub(crate) async fn prompt(&self, name: &str, more: &Value) -> String {
        let mut body = json!({ "name": name, "team_id": "support", "gate": { "mode": "off" } });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        text(&self.post("/api/prompts", &body).await["prompt_id"]).to_owned()
    }

    /// A version with this template; returns its id.
    pub(crate) async fn version(&self, prompt: &str, template: &str) -> String {
        let body = json!({ "template_text": template, "model_id": MODEL });
        text(&self.post(&format!("/api/prompts/{prompt}/versions"), &body).await["version_id"]).to_owned()
    }

    /// Makes a version live.
    pub(crate) async fn promote(&self, prompt: &str, version: &str, environment: &str) {
        let body = json!({ "version_id": version, "environment": environment });
        self.post(&format!("/api/prompts/{prompt}/promote"), &body).await;
    }

    /// The browser of whoever has this key, at the page after the sign-in.
    pub(crate) async fn signed_in(&self, key: &str) -> Tab {
        let mut tab = Tab::open(self.platform.url()).await;
        tab.go("/console").await;
        tab.fill("API key", key).await;
        tab.follow("Sign in").await;
        tab
    }

    /// The admin's browser.
    pub(crate) async fn admin(&self) -> Tab {
        self.signed_in(ADMIN).await
    }
}
