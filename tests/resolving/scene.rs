//! What the tests of resolving start from: a team with a resolver, prompts that are live, and a look at the table.

use std::sync::Arc;

use e2e::{Answer, Call, World, text};
use serde_json::{Value, json};
use store::keys::Key;
use testkit::fault::{Fault, Rule};

/// A platform, and the key of an application of the team `support`.
pub struct Scene {
    pub world: World,
    pub key: String,
}

impl Scene {
    pub async fn start() -> Self {
        let world = World::start().await;
        let key = world.key("support", "resolver").await;
        Self { world, key }
    }

    /// A new version of a prompt, written as JSON text, so that numbers arrive as they are written here.
    pub async fn version(&self, prompt: &Value, content: &str) -> Value {
        let path = format!("/api/prompts/{}/versions", text(&prompt["prompt_id"]));
        let content = content.trim().trim_start_matches('{');
        let body = format!(r#"{{"model_id": "test/model", {content}"#);
        self.world
            .admin(Call::new("POST".parse().unwrap(), path).bytes("application/json", body))
            .await
            .expect(201)
    }

    /// A new prompt of the team whose first version is live in production.
    pub async fn live(&self, name: &str, content: &str) -> Value {
        let prompt = self.world.prompt("support", name, &json!({})).await;
        let version = self.version(&prompt, content).await;
        self.world.promote(&prompt, &version, "production").await.expect(200);
        prompt
    }

    /// A new prompt whose only variable is printed as it is.
    pub async fn greeter(&self, name: &str) -> Value {
        self.live(name, r#"{"template_text": "Hello {{ name }}"}"#).await
    }

    /// Calls as the application.
    pub async fn call(&self, call: Call) -> Answer {
        self.world.call(call.key(&self.key)).await
    }

    /// Resolves with this query.
    pub async fn get(&self, query: &[(&str, &str)]) -> Answer {
        self.call(resolve(query)).await
    }

    /// Resolves with this body.
    pub async fn post(&self, body: &Value) -> Answer {
        self.call(Call::post("/api/resolve", body)).await
    }

    /// Resolves a prompt with variables as they are written.
    pub async fn render(&self, prompt: &str, variables: &str) -> Answer {
        self.get(&[("prompt", prompt), ("variables", variables)]).await
    }

    /// The text that a prompt renders to.
    pub async fn text(&self, prompt: &str, variables: &str) -> String {
        let answer = self.render(prompt, variables).await.expect(200);
        text(&answer["resolved_text"]).to_owned()
    }

    /// Counts from now on the reads of some items.
    pub fn reads(&self, of: impl Fn(&Key) -> bool + Send + Sync + 'static) -> Arc<Rule> {
        self.world.faults().add(on_read(Fault::Delay(std::time::Duration::ZERO), of))
    }
}

/// The call that resolves with this query.
pub fn resolve(query: &[(&str, &str)]) -> Call {
    let url = reqwest::Url::parse_with_params("http://localhost/api/resolve", query).unwrap();
    Call::get(format!("{}?{}", url.path(), url.query().unwrap_or_default()))
}

/// A fault of reading one of these items.
pub fn on_read(fault: Fault, of: impl Fn(&Key) -> bool + Send + Sync + 'static) -> Rule {
    Rule::on("GetItem", fault).when(move |body| {
        let attribute = |name: &str| body["Key"][name]["S"].as_str().map(str::to_owned);
        Key::of_item(attribute).is_some_and(|key| of(&key))
    })
}

/// An outage: every call fails, and none is worth a second try.
pub fn outage() -> Rule {
    Rule::all(Fault::Exception("AccessDeniedException"))
}

/// The pointers of a problem.
pub fn pointers(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| text(&error["pointer"])).collect()
}
