//! The platform of a test.

mod steps;

use std::{sync::Arc, time::Duration};

use cache::RemoteSettings;
use domain::{Sources, key::PresentedKey, model::ModelEntry, money::Usd};
use eval_worker::Judges;
use models::Secrets;
use registry::{Registry, evaluation::Watch};
use runtime::aws::Aws;
use serde_json::{Value, json};
use store::Names;
use tempfile::TempDir;
use testkit::{
    Clients, Endpoints, Engines, Expired, TestClock,
    engines::{ACCESS_KEY, REGION, SECRET_KEY},
    event_source::StreamSource,
    fault::{FaultProxy, Rules},
};

use crate::{
    call::{Answer, Call, text},
    logged::Watched,
    process::Process,
    queues::Queues,
};

/// The whole key of the admin of every test.
pub const ADMIN: &str = "cue_admin_test-secret-of-the-admin";

/// The bucket of the audit's archive.
pub const ARCHIVE: &str = "cuecard-archive";

/// How a platform of a test is started.
pub struct WorldSettings {
    /// Of all ids and random numbers.
    pub seed: u64,
    /// Models that are there without being in the catalogue.
    pub builtin: Vec<ModelEntry>,
    /// The providers' keys.
    pub secrets: Secrets,
    /// Who judges where an assertion names nobody.
    pub judges: Judges,
    /// How live versions are watched.
    pub watch: Watch,
    /// How long a call to a provider may take.
    pub model_timeout: Duration,
    /// How many writes a key may make in a minute.
    pub writes_per_minute: u64,
    /// The cache of the first process; `None`: memory alone.
    pub cache: Option<RemoteSettings>,
}

impl Default for WorldSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            builtin: Vec::new(),
            secrets: Secrets::new(|_| None),
            judges: Judges::default(),
            watch: Watch { every: Duration::from_hours(24), most_usd: Usd::MOST },
            model_timeout: Duration::from_secs(5),
            writes_per_minute: 1_000_000,
            cache: None,
        }
    }
}

/// A platform over engines of its own, with the table behind a proxy that injects faults where the test asks for it.
pub struct World {
    settings: Box<WorldSettings>,
    engines: Engines,
    folder: TempDir,
    /// The engines themselves, past the proxy.
    pub clients: Clients,
    proxy: FaultProxy,
    sources: Sources,
    /// The clock that the test advances.
    pub clock: Arc<TestClock>,
    queues: Queues,
    /// How `dispatch` follows the registry's stream.
    pub stream: StreamSource,
    /// The process that calls without another name go to.
    pub process: Process,
    /// Dropped after all that logs.
    _watched: Watched,
}

pub(crate) fn names() -> Names {
    Names {
        registry: "cuecard-registry".to_owned(),
        telemetry: "cuecard-telemetry".to_owned(),
        bucket: "cuecard".to_owned(),
        archive: Some(ARCHIVE.to_owned()),
    }
}

impl World {
    /// A platform with one process and one admin.
    pub async fn start() -> Self {
        Self::with(WorldSettings::default()).await
    }

    /// The same with settings.
    pub async fn with(settings: WorldSettings) -> Self {
        let engines = Engines::ephemeral(Expired::Kept).await.expect("the engines start");
        Box::pin(Self::over(engines, settings)).await
    }

    /// The same over new engines of the caller's.
    pub async fn over(engines: Engines, settings: WorldSettings) -> Self {
        let watched = Watched::begin();
        let folder = TempDir::with_prefix("cuecard-").expect("there is a temporary folder");
        let clients = testkit::clients(engines.endpoints());
        let proxy = FaultProxy::start(&engines.endpoints().dynamodb).expect("the proxy starts");
        let (sources, clock) = testkit::sources(settings.seed);
        let endpoints = Endpoints { dynamodb: proxy.url(), ..engines.endpoints().clone() };
        let aws = connect(&endpoints).await;
        create(&aws, &clients).await;
        let queues = Queues::create(&aws).await;
        let stream = StreamSource::new(&names().registry, "dispatch", folder.path());
        let remote = settings.cache.as_ref();
        let process = Process::start(&aws, remote, &sources, &settings, &queues);
        let settings = Box::new(settings);
        let world = Self {
            settings,
            engines,
            folder,
            clients,
            proxy,
            sources,
            clock,
            queues,
            stream,
            process,
            _watched: watched,
        };
        let admin = PresentedKey::parse(ADMIN).expect("the admin's key is one");
        world.registry().ensure_admin_key(&admin).await.expect("the admin's key is made");
        world.steer(Duration::from_mins(1)).await;
        world
    }

    /// Another process over the same tables, without a cache.
    pub async fn another_process(&self) -> Process {
        self.another_process_with(None, &self.sources).await
    }

    /// Another process over the same tables, with its own way to a cache, or with a clock of its own.
    pub async fn another_process_with(&self, cache: Option<&RemoteSettings>, sources: &Sources) -> Process {
        let aws = self.connected_through(self.proxy.url()).await;
        Process::start(&aws, cache, sources, &self.settings, &self.queues)
    }

    /// Another process over the same tables, which it reaches through this URL.
    pub async fn another_process_through(&self, dynamodb: String) -> Process {
        let aws = self.connected_through(dynamodb).await;
        Process::start(&aws, None, &self.sources, &self.settings, &self.queues)
    }

    /// Another process over the same tables, past the proxy, with a clock of its own.
    pub async fn another_process_past_faults(&self, sources: &Sources) -> Process {
        let aws = connect(self.engines.endpoints()).await;
        Process::start(&aws, None, sources, &self.settings, &self.queues)
    }

    /// Another process that finds the engines here; with `cache`, or without.
    pub async fn another_process_over(&self, engines: &Endpoints, cache: Option<&RemoteSettings>) -> Process {
        let aws = connect(engines).await;
        Process::start(&aws, cache, &self.sources, &self.settings, &self.queues)
    }

    /// The same of a function that calls models, without a cache: it finds all else that AWS has under this URL.
    pub async fn another_caller_over(&self, engines: &Endpoints, all_else: &str) -> Process {
        Process::calling(&connect(engines).await, &self.sources, &self.settings, &self.queues, all_else)
    }

    /// Where the engines are, past all faults.
    pub fn engines(&self) -> &Endpoints {
        self.engines.endpoints()
    }

    /// Where the tables are, past all faults: a host and a port.
    pub fn tables(&self) -> &str {
        self.engines.endpoints().dynamodb.trim_start_matches("http://")
    }

    async fn connected_through(&self, dynamodb: String) -> Aws {
        connect(&Endpoints { dynamodb, ..self.engines.endpoints().clone() }).await
    }

    /// The use cases of the first process.
    pub fn registry(&self) -> &Registry {
        &self.process.release.registry
    }

    /// Those that move refs.
    pub fn release(&self) -> &release::Release {
        &self.process.release
    }

    /// The faults of the table.
    pub fn faults(&self) -> &Rules {
        self.proxy.rules()
    }

    /// Calls as the admin.
    pub async fn admin(&self, call: Call) -> Answer {
        self.call(call.key(ADMIN)).await
    }

    /// Calls as whoever the call says.
    pub async fn call(&self, call: Call) -> Answer {
        call.send(&self.process.router).await
    }

    /// A new key.
    pub async fn key(&self, team: &str, role: &str) -> String {
        let body = json!({ "team_id": team, "role": role, "name": format!("{role} of {team}") });
        let made = self.admin(Call::post("/api/keys", &body)).await.expect(201);
        made["secret"].as_str().expect("a key has a secret").to_owned()
    }

    /// A new prompt of a team, with a gate that lets everything through unless `more` says otherwise.
    pub async fn prompt(&self, team: &str, name: &str, more: &Value) -> Value {
        let mut body = json!({ "name": name, "team_id": team, "gate": { "mode": "off" } });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        self.admin(Call::post("/api/prompts", &body)).await.expect(201)
    }

    /// A new version of a prompt; `content` is the body, `model_id` is filled in.
    pub async fn version(&self, prompt: &Value, content: &Value) -> Value {
        let mut body = json!({ "model_id": "test/model" });
        if let (Some(body), Some(content)) = (body.as_object_mut(), content.as_object()) {
            body.extend(content.clone());
        }
        let path = format!("/api/prompts/{}/versions", text(&prompt["prompt_id"]));
        self.admin(Call::post(path, &body)).await.expect(201)
    }

    /// Promotes a version as the admin.
    pub async fn promote(&self, prompt: &Value, version: &Value, environment: &str) -> Answer {
        let path = format!("/api/prompts/{}/promote", text(&prompt["prompt_id"]));
        let body = json!({ "version_id": version["version_id"], "environment": environment });
        self.admin(Call::post(path, &body)).await
    }

    /// Rolls back as the admin.
    pub async fn roll_back(&self, prompt: &Value, environment: &str) -> Answer {
        let path = format!("/api/prompts/{}/rollback", text(&prompt["prompt_id"]));
        self.admin(Call::post(path, &json!({ "environment": environment }))).await
    }

    /// Lets `steer` do its work once.
    pub async fn steer(&self, stuck_after: Duration) -> steer::Report {
        Box::pin(steer::handle(&self.steering(stuck_after))).await.expect("steer does its work")
    }

    /// What `steer` is in the first process.
    pub fn steering(&self, stuck_after: Duration) -> steer::App {
        let (release, watch) = (self.release().clone(), self.settings.watch);
        steer::App { release, stuck_after, watch, admin_key: None }
    }
}

/// Makes tables and buckets. Only `local` has the archive in the bucket of the test sets.
pub(crate) async fn create(aws: &Aws, clients: &Clients) {
    aws.store(names()).create_missing().await.expect("the tables are made");
    let archive = clients.s3.create_bucket().set_bucket(names().archive);
    archive.send().await.expect("the archive is made");
}

pub(crate) async fn connect(endpoints: &Endpoints) -> Aws {
    let endpoints = runtime::aws::Endpoints {
        dynamodb: endpoints.dynamodb.clone(),
        s3: endpoints.s3.clone(),
        sqs: endpoints.sqs.clone(),
    };
    Box::pin(Aws::connect_to(endpoints, REGION, ACCESS_KEY, SECRET_KEY)).await
}
