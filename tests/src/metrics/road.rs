//! The whole road of metrics: reported to the router, queued, counted.

use std::collections::BTreeMap;

use domain::{
    PromptId, VersionId,
    metric::{Hour, Tally},
    model::ModelEntry,
    name::production,
    token::{Assignment, Resolution, Signer, UnitKind},
};
use serde_json::{Value, json};
use store::metric::TrialCounters;

use crate::{Answer, Call, Dice, World, WorldSettings, text};

/// The trial of tokens; the table of trials does not have it.
pub const TRIAL: &str = "exp_01JD0000000000000000000000";

/// A version that is reported of.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The version.
    pub version_id: VersionId,
}

/// A platform with versions of the team `support`.
pub struct Road {
    /// The platform.
    pub world: World,
    /// The versions.
    pub versions: Vec<Told>,
    /// A resolver's key.
    pub key: String,
}

/// A place in the trial, by what tests tell apart.
#[derive(Debug, Clone, Copy)]
pub struct Spot {
    /// The weights that were in force.
    pub allocation_version: u64,
    /// The arm's key.
    pub arm: &'static str,
    /// The unit.
    pub unit: u64,
    /// The resolve.
    pub nonce: u64,
}

impl Road {
    /// Prompts with so many versions each, on a model of 1 USD a million tokens in and 2 USD out.
    pub async fn start(prompts: usize, versions: usize) -> Self {
        let model = json!({
            "model_id": "test/model", "provider": "openai", "base_url": "http://127.0.0.1:9",
            "input_usd_per_mtok": 1, "output_usd_per_mtok": 2,
        });
        let builtin: Vec<ModelEntry> = vec![serde_json::from_value(model).expect("the model is well formed")];
        let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
        let mut told = Vec::new();
        for prompt in 0..prompts {
            told.extend(made(&world, "support", &format!("prompt-{prompt}"), versions).await);
        }
        let key = world.key("support", "resolver").await;
        Self { world, versions: told, key }
    }

    /// Reports events.
    pub async fn report(&self, body: &Value) -> Answer {
        self.world.call(Call::post("/api/metrics", body).key(&self.key)).await
    }

    /// Reports events, all of which are accepted.
    pub async fn accept(&self, body: &Value) {
        let answer = self.report(body).await.expect(202);
        let events = body["events"].as_array().map_or(0, Vec::len);
        assert_eq!(answer, json!({ "accepted": events, "rejected": [] }));
    }

    /// Reports one event of a version.
    pub fn of_version(&self, version: usize, values: Value) -> Value {
        event(json!({ "version_id": self.versions[version].version_id }), values)
    }

    /// An event of a version in a trial, under a token as resolve would sign it now.
    pub async fn of_spot(&self, version: usize, spot: Spot, values: Value) -> Value {
        let token = self.signer().await.sign(&self.resolution(version, spot));
        event(json!({ "resolution_token": token }), values)
    }

    /// What signs tokens.
    pub async fn signer(&self) -> Signer {
        let key = self.world.registry().store.newest_signing_key().await.expect("the table reads keys");
        Signer::new(&key.expect("there is a key to sign with")).expect("it signs")
    }

    /// What resolve would say now.
    pub fn resolution(&self, version: usize, spot: Spot) -> Resolution {
        let Told { prompt_id, version_id } = self.versions[version];
        let assignment = Assignment {
            trial: TRIAL.parse().expect("it is an id"),
            iteration: 1,
            allocation_version: spot.allocation_version,
            arm: spot.arm.to_owned(),
        };
        Resolution {
            prompt_id,
            version_id,
            environment: production(),
            assignment: Some(assignment),
            unit_kind: UnitKind::User,
            unit64: spot.unit.to_be_bytes(),
            nonce: spot.nonce.to_be_bytes(),
            issued_at: self.world.registry().sources.now(),
        }
    }

    /// Counts all that is queued.
    pub async fn count(&self) {
        while self.world.step_metrics().await > 0 {}
    }

    /// The counters of a version in production, by hour.
    pub async fn hours(&self, version: usize) -> BTreeMap<Hour, Tally> {
        self.hours_in(version, "production").await
    }

    /// Those of any environment.
    pub async fn hours_in(&self, version: usize, environment: &str) -> BTreeMap<Hour, Tally> {
        let [from, to] = ["2026-10-01T00", "2026-12-31T23"].map(|hour| hour.parse().expect("it is an hour"));
        let environment = environment.parse().expect("it is a name");
        let store = &self.world.registry().store;
        let hours = store.hours(self.versions[version].version_id, &environment, from, to).await;
        hours.expect("the table reads hours")
    }

    /// The same, all hours together.
    pub async fn total(&self, version: usize) -> Tally {
        let mut total = Tally::default();
        self.hours(version).await.values().for_each(|tally| total.merge(tally));
        total
    }

    /// The counters of the trial.
    pub async fn trial(&self) -> TrialCounters {
        let trial = TRIAL.parse().expect("it is an id");
        self.world.registry().store.trial_counters(trial).await.expect("the table reads trials")
    }
}

/// An event about something that says these values.
pub fn event(mut about: Value, values: Value) -> Value {
    if let (Value::Object(about), Value::Object(values)) = (&mut about, values) {
        about.extend(values);
    }
    about
}

/// What an application says of a call.
pub fn call_values(dice: &Dice) -> Value {
    let tokens = dice.below(2000);
    json!({
        "latency_ms": dice.below(5000), "input_tokens": tokens, "output_tokens": tokens / 4,
        "error": dice.once_in(50), "user_rating": 1 + dice.below(5),
    })
}

/// A new prompt of a team, with versions.
pub async fn made(world: &World, team: &str, name: &str, versions: usize) -> Vec<Told> {
    let prompt = world.prompt(team, name, &json!({})).await;
    let mut told = Vec::new();
    for version in 0..versions {
        let version = world.version(&prompt, &json!({ "template_text": format!("{version}") })).await;
        let prompt_id = text(&prompt["prompt_id"]).parse().expect("it is an id");
        let version_id = text(&version["version_id"]).parse().expect("it is an id");
        told.push(Told { prompt_id, version_id });
    }
    told
}
