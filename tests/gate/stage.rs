//! What these tests share: a platform whose models answer by the kind of a version, and whoever takes part.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::Method;
use domain::model::ModelEntry;
use e2e::{Answer, Call, World, WorldSettings, text};
use eval_worker::Judges;
use serde_json::{Value, json};
use testkit::{
    TestClock,
    provider::{CallInfo, Reply, ScriptedProvider},
};

use crate::poisoned;

/// The team of the prompt.
pub const TEAM: &str = "red";

/// Enough cases for a verdict beside nothing, and too few for one beside what is in production: a person decides.
pub const FEW: usize = 6;

/// Enough for a verdict beside what is in production (the bound of Bonett and Price wants 45 equal pairs).
pub const MANY: usize = 46;

/// A gate that is content with few cases.
pub fn gate(more: Value) -> Value {
    let mut gate = json!({ "mode": "required", "min_pass_rate": 0.8, "min_cases": 5 });
    gate.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    gate
}

/// A platform, a prompt with two test sets, and a mood on which versions of the kind `moody` depend.
pub struct Stage {
    pub world: World,
    pub provider: ScriptedProvider,
    mood: Arc<AtomicBool>,
    pub people: People,
    pub prompt: Value,
    /// The set of few cases, and the one of many.
    pub sets: [String; 2],
}

/// The keys of whoever takes part.
pub struct People {
    pub author: String,
    pub releaser: String,
    pub colleague: String,
    pub resolver: String,
    pub foreigner: String,
}

/// What a version of a kind answers: `good` always «yes», `bad` always «no», `unclear` mostly «yes», `moody` as the
/// mood is, `slow` «yes» after 20 ms by the clock; the others are poisoned.
fn answer(call: &CallInfo, mood: bool, clock: &OnceLock<Arc<TestClock>>) -> String {
    let mut words = call.user().split_whitespace();
    let kind = words.next().unwrap_or_default();
    let number: usize = words.next_back().and_then(|word| word.parse().ok()).unwrap_or_default();
    let yes = match kind {
        "good" => true,
        "bad" => false,
        "unclear" => number % 4 != 1,
        "moody" => mood,
        "slow" => {
            clock.get().unwrap().advance(Duration::from_millis(20));
            true
        }
        _ => return poisoned::answer(kind, call),
    };
    if yes { "yes" } else { "no" }.to_owned()
}

/// Two models of a provider: a million tokens cost a dollar.
pub fn models(provider: &ScriptedProvider) -> Vec<ModelEntry> {
    let entry = |model_id: &str| {
        let entry = json!({
            "model_id": model_id, "provider": "openai", "base_url": provider.url(),
            "input_usd_per_mtok": 1, "output_usd_per_mtok": 1,
        });
        serde_json::from_value(entry).unwrap()
    };
    vec![entry("test/model"), entry("test/other")]
}

/// So many cases that want «yes».
pub fn cases(count: usize) -> String {
    let case = |number: usize| {
        let number = number.to_string();
        json!({ "case_id": format!("c{number}"), "vars": { "n": number }, "expected": "yes" }).to_string()
    };
    (1..=count).map(case).collect::<Vec<_>>().join("\n")
}

/// A path below the prompt's own.
pub fn at(prompt: &Value, rest: &str) -> String {
    format!("/api/prompts/{}{rest}", text(&prompt["prompt_id"]))
}

/// A path below a version's own.
pub fn under(version: &Value, rest: &str) -> String {
    format!("/api/versions/{}{rest}", text(&version["version_id"]))
}

/// The places that a problem names.
pub fn pointers(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().into_iter().flatten().map(|error| text(&error["pointer"])).collect()
}

/// A new version of a test set.
pub fn put_cases(set: &str, lines: &str) -> Call {
    Call::new(Method::PUT, format!("/api/test-sets/{set}/versions")).bytes("application/jsonl", lines)
}

/// The content of a version of a kind; the number makes it another one.
pub fn content(kind: &str, number: usize) -> Value {
    json!({ "template_text": format!("{kind} {number} {{{{ n }}}}"), "model_id": "test/model" })
}

impl Stage {
    /// With a prompt that has the gate of its team.
    pub async fn new() -> Self {
        let mood = Arc::new(AtomicBool::new(true));
        let clock: Arc<OnceLock<Arc<TestClock>>> = Arc::default();
        let script = {
            let (mood, clock) = (Arc::clone(&mood), Arc::clone(&clock));
            move |call: &CallInfo| Reply::Answer(answer(call, mood.load(Ordering::SeqCst), &clock))
        };
        let provider = ScriptedProvider::start(script).unwrap();
        let judges = Judges { judge_model: Some("test/other".to_owned()), ..Judges::default() };
        let settings = WorldSettings { builtin: models(&provider), judges, ..WorldSettings::default() };
        let world = World::with(settings).await;
        clock.set(Arc::clone(&world.clock)).unwrap();
        let people = People {
            author: world.key(TEAM, "author").await,
            releaser: world.key(TEAM, "releaser").await,
            colleague: world.key(TEAM, "releaser").await,
            resolver: world.key(TEAM, "resolver").await,
            foreigner: world.key("blue", "releaser").await,
        };
        let set = async |name: &str, count| {
            let body = json!({ "name": name, "team_id": TEAM });
            let made = world.admin(Call::post("/api/test-sets", &body)).await.expect(201);
            let set = text(&made["test_set_id"]).to_owned();
            world.admin(put_cases(&set, &cases(count))).await.expect(201);
            set
        };
        let sets = [set("few", FEW).await, set("many", MANY).await];
        let team = json!({ "gate": gate(json!({})) });
        world.admin(Call::put(format!("/api/teams/{TEAM}"), &team)).await.expect(200);
        let body = json!({ "name": "classifier", "team_id": TEAM, "test_set_id": sets[0] });
        let prompt = world.admin(Call::post("/api/prompts", &body)).await.expect(201);
        Self { world, provider, mood, people, prompt, sets }
    }

    /// Sets the mood on which `moody` versions depend.
    pub fn be(&self, well: bool) {
        self.mood.store(well, Ordering::SeqCst);
    }

    /// Turns the mood.
    pub fn turn(&self) {
        self.mood.fetch_xor(true, Ordering::SeqCst);
    }

    /// A version of a kind by the author, evaluated as far as it can be.
    pub async fn version(&self, kind: &str, number: usize) -> Value {
        let call = Call::post(at(&self.prompt, "/versions"), &content(kind, number));
        let version = self.world.call(call.key(&self.people.author)).await.expect(201);
        self.world.work().await;
        self.reread(&version).await
    }

    /// A version as it is now.
    pub async fn reread(&self, version: &Value) -> Value {
        self.world.admin(Call::get(under(version, ""))).await.expect(200)
    }

    /// A promotion to production, by the releaser.
    pub fn promotion(&self, version: &Value) -> Call {
        let body = json!({ "version_id": version["version_id"], "environment": "production" });
        Call::post(at(&self.prompt, "/promote"), &body).key(&self.people.releaser)
    }

    /// Promotes to production, as the releaser.
    pub async fn promote(&self, version: &Value) -> Answer {
        self.world.call(self.promotion(version)).await
    }

    /// Changes the prompt as the admin.
    pub async fn patch(&self, body: &Value) -> Value {
        self.world.admin(Call::patch(at(&self.prompt, ""), body)).await.expect(200)
    }

    /// Resolves production.
    pub async fn resolve(&self, key: &str) -> Answer {
        let path = format!("/api/resolve/{}", text(&self.prompt["prompt_id"]));
        self.world.call(Call::post(path, &json!({ "variables": { "n": "1" } })).key(key)).await
    }
}
