//! A prompt with versions, its users, and the minutes that pass.

use std::time::Duration;

use axum::http::Method;
use e2e::{Answer, Call, World, text};
use serde_json::{Value, json};

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// A platform with a prompt whose first version is live in production.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) prompt: Value,
    pub(crate) versions: Vec<Value>,
}

impl Stage {
    /// With so many versions, of which nothing is asked.
    pub(crate) async fn new(versions: usize) -> Self {
        let world = World::start().await;
        let (prompt, versions) = Self::another(&world, "greeting", versions).await;
        Self { world, prompt, versions }
    }

    /// Another prompt in the same world.
    pub(crate) async fn another(world: &World, name: &str, versions: usize) -> (Value, Vec<Value>) {
        let prompt = world.prompt("support", name, &json!({})).await;
        let mut written = Vec::new();
        for number in 1..=versions {
            world.clock.advance(Duration::from_millis(1));
            written
                .push(world.version(&prompt, &json!({ "template_text": format!("version {number}") })).await);
        }
        world.promote(&prompt, &written[0], "production").await.expect(200);
        (prompt, written)
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/prompts/{}{rest}", text(&self.prompt["prompt_id"]))
    }

    pub(crate) fn id(&self, version: usize) -> &str {
        text(&self.versions[version]["version_id"])
    }

    /// The variants of an experiment over all versions.
    pub(crate) fn variants(&self) -> Value {
        self.versions.iter().map(|version| json!({ "version_id": version["version_id"] })).collect()
    }

    /// Asks for an experiment over all versions; `more` are further settings.
    pub(crate) async fn try_experiment(&self, more: &Value) -> Answer {
        let mut body = json!({ "variants": self.variants(), "primary_metric": "success" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post(&self.path("/experiments"), &body).await
    }

    pub(crate) async fn experiment(&self, more: &Value) -> Value {
        self.try_experiment(more).await.expect(201)
    }

    /// Asks for a canary of the second version.
    pub(crate) async fn try_canary(&self, more: &Value) -> Answer {
        let mut body = json!({ "version_id": self.id(1) });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post(&self.path("/rollouts"), &body).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.world.admin(Call::post(path, body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.world.admin(Call::get(path)).await.expect(200)
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.world.admin(Call::new(Method::DELETE, path)).await
    }

    /// What the environment says.
    pub(crate) async fn production(&self) -> Value {
        self.get(&self.path("/environments/production")).await
    }

    pub(crate) async fn resolve(&self, user: &str) -> Value {
        let path = self.path("").replace("/prompts/", "/resolve/");
        self.get(&format!("{path}?user_id={user}")).await
    }

    /// Reports events, and has them counted.
    pub(crate) async fn report(&self, events: &[Value]) {
        for events in events.chunks(500) {
            let answer = self.post("/api/metrics", &json!({ "events": events })).await.expect(202);
            assert_eq!(answer["accepted"], events.len(), "{answer}");
        }
        while self.world.step_metrics().await > 0 {}
    }

    /// Lets time pass, then steers once.
    pub(crate) async fn pass(&self, time: Duration) -> usize {
        self.world.clock.advance(time);
        self.steer().await
    }

    pub(crate) async fn steer(&self) -> usize {
        self.world.release().steer_trials().await.unwrap()
    }

    /// What the audit says of the prompt, newest first.
    pub(crate) async fn actions(&self) -> Vec<String> {
        self.actions_of(&format!("/api/audit?prompt_id={}&limit=100", text(&self.prompt["prompt_id"]))).await
    }

    /// What its history says, newest first.
    pub(crate) async fn moves(&self) -> Vec<String> {
        self.actions_of(&self.path("/history")).await
    }

    async fn actions_of(&self, path: &str) -> Vec<String> {
        let entries = self.get(path).await;
        entries["data"].as_array().unwrap().iter().map(|entry| text(&entry["action"]).to_owned()).collect()
    }
}

/// An event about a resolve.
pub(crate) fn event(resolved: &Value, values: &Value) -> Value {
    let mut event = json!({ "resolution_token": resolved["resolution_token"] });
    event.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
    event
}
