//! What the journeys run on: the functions' routers in this process, `local` over HTTP, or the built programs.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use e2e::{ADMIN, Answer, Call, Fleet, FleetSettings, World, WorldSettings, moto_program, text};
use registry::audit::AuditKept;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::Engines;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_mins(1);

enum Platform {
    Routers(Box<World>),
    Local(Box<local::Platform>, #[expect(dead_code, reason = "it is the platform's")] TempDir),
    Programs(Box<(Fleet, Option<Cluster>)>),
}

/// A platform, and how much was asked of it.
pub(crate) struct Target {
    platform: Platform,
    asked: AtomicUsize,
}

impl Target {
    pub(crate) async fn routers() -> Self {
        Self::of(Platform::Routers(Box::new(World::start().await)))
    }

    pub(crate) async fn routers_over_moto() -> Self {
        let engines = Engines::of_moto(&moto_program()).await.unwrap();
        let world = Box::pin(World::over(engines, WorldSettings::default())).await;
        Self::of(Platform::Routers(Box::new(world)))
    }

    pub(crate) async fn local() -> Self {
        let folder = TempDir::with_prefix("cuecard-").unwrap();
        let settings =
            local::Settings { admin_key: Some(ADMIN.to_owned()), ..local::Settings::new(folder.path()) };
        Self::of(Platform::Local(Box::new(local::Platform::start(settings).await.unwrap()), folder))
    }

    pub(crate) async fn programs() -> Self {
        Self::of(Platform::Programs(Box::new((Fleet::start(FleetSettings::default()).await, None))))
    }

    pub(crate) async fn programs_with_cache() -> Self {
        let cache = Cluster::start().await;
        let settings = FleetSettings { cache: cache.variables(), ..FleetSettings::default() };
        Self::of(Platform::Programs(Box::new((Fleet::start(settings).await, Some(cache)))))
    }

    fn of(platform: Platform) -> Self {
        Self { platform, asked: AtomicUsize::new(0) }
    }

    /// How many requests of the journeys were answered, those not counted that only wait for something.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// How often functions of the private network called anything outside of it, where there is such a network.
    pub(crate) fn calls_outside(&self) -> usize {
        match &self.platform {
            Platform::Programs(programs) => programs.0.calls_outside(),
            _ => 0,
        }
    }

    /// How many entries the nodes of the cache have, where there is one.
    pub(crate) async fn cached(&self) -> Vec<usize> {
        let Platform::Programs(programs) = &self.platform else { return Vec::new() };
        let mut counts = Vec::new();
        for node in programs.1.iter().flat_map(|cache| &cache.nodes) {
            counts.push(node.ask("DBSIZE").await);
        }
        counts
    }

    pub(crate) async fn call(&self, call: Call) -> Answer {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.send(call).await
    }

    pub(crate) async fn admin(&self, call: Call) -> Answer {
        self.call(call.key(ADMIN)).await
    }

    async fn send(&self, call: Call) -> Answer {
        match &self.platform {
            Platform::Routers(world) => world.call(call).await,
            Platform::Local(platform, _) => call.send_to(platform.url()).await,
            Platform::Programs(programs) => call.send_to(&programs.0.url()).await,
        }
    }

    /// Asks again and again, as the admin, until the answer is the wanted one. The platform goes on meanwhile.
    pub(crate) async fn until(&self, ask: impl Fn() -> Call, wanted: impl Fn(&Answer) -> bool) -> Answer {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.send(ask()).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "still: {} {}", answer.status, answer.text());
            match &self.platform {
                Platform::Routers(world) => {
                    world.work().await;
                    world.step_metrics().await;
                    world.clock.advance(Duration::from_millis(100));
                }
                _ => sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Brings what was written to the archive, as the stream does it, and returns what the next day's round finds there.
    /// Where the archive fills by itself, nobody can know when to look.
    pub(crate) async fn archived(&self) -> AuditKept {
        let Platform::Routers(world) = &self.platform else { panic!("the stream cannot be stepped here") };
        let app = world.propagate(&world.process, true);
        for event in world.written().await {
            let answer = propagate::handle(event, &app).await.unwrap();
            assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
        }
        world.clock.advance(Duration::from_hours(24));
        world.steer(Duration::from_mins(1)).await.audit
    }

    /// Invokes `rollback` directly, past the gateway.
    pub(crate) async fn break_glass(&self, event: Value) -> Value {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match &self.platform {
            Platform::Routers(world) => rollback::handle(event, "journey", &world.process.rollback).await,
            Platform::Local(platform, _) => {
                let call = Call::post("/2015-03-31/functions/rollback/invocations", &event);
                call.header("authorization", "AWS4-HMAC-SHA256 any").send_to(platform.url()).await.expect(200)
            }
            Platform::Programs(programs) => programs.0.invoke("rollback", event).await.unwrap(),
        }
    }

    /// A new key.
    pub(crate) async fn key(&self, team: &str, role: &str) -> Value {
        let body = json!({ "team_id": team, "role": role, "name": format!("{role} of {team}") });
        self.admin(Call::post("/api/keys", &body)).await.expect(201)
    }

    /// A new prompt, with a gate that lets everything through unless `more` says otherwise.
    pub(crate) async fn prompt(&self, team: &str, name: &str, more: &Value) -> String {
        let mut body = json!({ "name": name, "team_id": team, "gate": { "mode": "off" } });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.admin(Call::post("/api/prompts", &body)).await.expect(201);
        text(&made["prompt_id"]).to_owned()
    }

    /// A new version; `model_id` is filled in.
    pub(crate) async fn version(&self, prompt: &str, content: &Value) -> String {
        let mut body = json!({ "model_id": "test/model" });
        body.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        let made = self.admin(Call::post(format!("/api/prompts/{prompt}/versions"), &body)).await.expect(201);
        text(&made["version_id"]).to_owned()
    }

    /// Promotes to production as the admin; returns the answer.
    pub(crate) async fn promote(&self, prompt: &str, version: &str) -> Answer {
        let body = json!({ "version_id": version, "environment": "production" });
        self.admin(Call::post(format!("/api/prompts/{prompt}/promote"), &body)).await
    }

    /// Resolves in production, not before this revision.
    pub(crate) async fn resolve(&self, key: &str, prompt: &str, revision: u64) -> Value {
        let body = json!({ "prompt": prompt, "min_revision": revision, "variables": { "name": "Ada" } });
        self.call(Call::post("/api/resolve", &body).key(key)).await.expect(200)
    }
}
