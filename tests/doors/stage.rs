//! A team with prompts, and an application of it that evaluates them as flags.

use e2e::{Answer, Call, Process, World, text};
use serde_json::{Value, json};

const FLAGS: &str = "/ofrep/v1/evaluate/flags";

pub(crate) struct Stage {
    pub(crate) world: World,
    /// Of an application of the team `support`.
    pub(crate) key: String,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        let world = World::start().await;
        let key = world.key("support", "resolver").await;
        Self { world, key }
    }

    /// A new prompt of the team, and its first version, which is live in production.
    pub(crate) async fn live(&self, name: &str, content: &Value) -> (Value, Value) {
        let prompt = self.world.prompt("support", name, &json!({})).await;
        let version = self.world.version(&prompt, content).await;
        self.world.promote(&prompt, &version, "production").await.expect(200);
        (prompt, version)
    }

    pub(crate) async fn greeter(&self, name: &str) -> (Value, Value) {
        self.live(name, &json!({ "template_text": "Hello {{ name }}" })).await
    }

    /// A prompt that says «one», and «two» to half of those who ask.
    pub(crate) async fn tried(&self, name: &str) -> (Value, Value) {
        let (prompt, one) = self.live(name, &json!({ "template_text": "one" })).await;
        let two = self.world.version(&prompt, &json!({ "template_text": "two" })).await;
        let variants = [one, two].map(|version| json!({ "version_id": version["version_id"] }));
        let experiment = Call::post(at(&prompt, "/experiments"), &json!({ "variants": variants }));
        let experiment = self.world.admin(experiment).await.expect(201);
        (prompt, experiment)
    }

    /// Calls as the application.
    pub(crate) async fn call(&self, call: Call) -> Answer {
        self.world.call(call.key(&self.key)).await
    }

    pub(crate) async fn evaluate(&self, flag: &str, context: &Value) -> Answer {
        self.call(one(flag, context)).await
    }

    pub(crate) async fn evaluate_all(&self, context: &Value) -> Answer {
        self.call(all(context)).await
    }

    /// The same, by another process.
    pub(crate) async fn evaluate_all_by(&self, process: &Process, context: &Value) -> Answer {
        all(context).key(&self.key).send(&process.router).await
    }
}

/// A path under a prompt.
pub(crate) fn at(prompt: &Value, rest: &str) -> String {
    format!("/api/prompts/{}{rest}", text(&prompt["prompt_id"]))
}

/// Whoever is served, who has the name Ada.
pub(crate) fn ada() -> Value {
    json!({ "targetingKey": "user-1", "name": "Ada" })
}

/// The evaluation of one flag.
pub(crate) fn one(flag: &str, context: &Value) -> Call {
    Call::post(format!("{FLAGS}/{flag}"), &json!({ "context": context }))
}

/// The evaluation of all.
pub(crate) fn all(context: &Value) -> Call {
    Call::post(FLAGS, &json!({ "context": context }))
}

/// A flag without its token, after insisting that it has one.
pub(crate) fn without_token(mut flag: Value) -> Value {
    let token = flag["metadata"].as_object_mut().unwrap().remove("resolutionToken");
    assert!(token.is_some_and(|token| token.is_string()), "{flag}");
    flag
}
