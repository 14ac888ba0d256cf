//! The whole road of metrics: reported over HTTP, queued, counted.

use std::collections::BTreeMap;

use domain::{
    PromptId, VersionId,
    metric::{Hour, Tally},
    model::ModelEntry,
    name::production,
    token::{Assignment, Resolution, Signer, UnitKind},
};
use e2e::{Answer, Call, World, WorldSettings, text};
use serde_json::{Value, json};
use store::metric::TrialCounters;

pub(crate) const TRIAL: &str = "exp_01JD0000000000000000000000";

/// A version that is reported of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) prompt_id: PromptId,
    pub(crate) version_id: VersionId,
}

/// A platform with versions of the team `support`.
pub(crate) struct Road {
    pub(crate) world: World,
    pub(crate) versions: Vec<Told>,
    /// A resolver's key.
    pub(crate) key: String,
}

/// A place in the trial, by what tests tell apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) allocation_version: u64,
    pub(crate) arm: &'static str,
    pub(crate) unit: u64,
    pub(crate) nonce: u64,
}

impl Road {
    /// Prompts with so many versions each, on a model of 1 USD a million tokens in and 2 USD out.
    pub(crate) async fn start(prompts: usize, versions: usize) -> Self {
        let model = json!({
            "model_id": "test/model", "provider": "openai", "base_url": "http://127.0.0.1:9",
            "input_usd_per_mtok": 1, "output_usd_per_mtok": 2,
        });
        let builtin: Vec<ModelEntry> = vec![serde_json::from_value(model).unwrap()];
        let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
        let mut told = Vec::new();
        for prompt in 0..prompts {
            told.extend(made(&world, "support", &format!("prompt-{prompt}"), versions).await);
        }
        let key = world.key("support", "resolver").await;
        Self { world, versions: told, key }
    }

    pub(crate) async fn report(&self, body: &Value) -> Answer {
        self.world.call(Call::post("/api/metrics", body).key(&self.key)).await
    }

    /// Reports events, all of which are accepted.
    pub(crate) async fn accept(&self, body: &Value) {
        let answer = self.report(body).await.expect(202);
        let events = body["events"].as_array().unwrap().len();
        assert_eq!(answer, json!({ "accepted": events, "rejected": [] }));
    }

    /// Reports one event of a version.
    pub(crate) fn of_version(&self, version: usize, values: Value) -> Value {
        event(json!({ "version_id": self.versions[version].version_id }), values)
    }

    /// An event of a version in a trial, under a token as resolve would sign it now.
    pub(crate) async fn of_spot(&self, version: usize, spot: Spot, values: Value) -> Value {
        let token = self.signer().await.sign(&self.resolution(version, spot));
        event(json!({ "resolution_token": token }), values)
    }

    pub(crate) async fn signer(&self) -> Signer {
        let key = self.world.registry().store.newest_signing_key().await.unwrap().unwrap();
        Signer::new(&key).unwrap()
    }

    pub(crate) fn resolution(&self, version: usize, spot: Spot) -> Resolution {
        let Told { prompt_id, version_id } = self.versions[version];
        let assignment = Assignment {
            trial: TRIAL.parse().unwrap(),
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
    pub(crate) async fn count(&self) {
        while self.world.step_metrics().await > 0 {}
    }

    /// The counters of a version in production, by hour.
    pub(crate) async fn hours(&self, version: usize) -> BTreeMap<Hour, Tally> {
        self.hours_in(version, "production").await
    }

    pub(crate) async fn hours_in(&self, version: usize, environment: &str) -> BTreeMap<Hour, Tally> {
        let (from, to) = ("2026-10-01T00".parse().unwrap(), "2026-12-31T23".parse().unwrap());
        let store = &self.world.registry().store;
        store.hours(self.versions[version].version_id, &environment.parse().unwrap(), from, to).await.unwrap()
    }

    /// The same, all hours together.
    pub(crate) async fn total(&self, version: usize) -> Tally {
        let mut total = Tally::default();
        self.hours(version).await.values().for_each(|tally| total.merge(tally));
        total
    }

    pub(crate) async fn trial(&self) -> TrialCounters {
        self.world.registry().store.trial_counters(TRIAL.parse().unwrap()).await.unwrap()
    }
}

/// An event about something that says these values.
pub(crate) fn event(mut about: Value, values: Value) -> Value {
    about.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
    about
}

/// A new prompt of a team, with versions.
pub(crate) async fn made(world: &World, team: &str, name: &str, versions: usize) -> Vec<Told> {
    let prompt = world.prompt(team, name, &json!({})).await;
    let mut told = Vec::new();
    for version in 0..versions {
        let version = world.version(&prompt, &json!({ "template_text": format!("{version}") })).await;
        let prompt_id = text(&prompt["prompt_id"]).parse().unwrap();
        told.push(Told { prompt_id, version_id: text(&version["version_id"]).parse().unwrap() });
    }
    told
}
