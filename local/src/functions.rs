//! The functions, each over the same store, memory and clocks.

use std::{sync::Arc, time::Duration};

use axum::Router;
use cache::{Cache, Remote, RemoteSettings};
use domain::Result;
use eval_worker::Judges;
use models::{DEFAULT_TIMEOUT, Models, Secrets};
use registry::{Registry, evaluation::Watch};
use release::Release;
use runtime::{Evaluation, Queue, Variables, aws::Aws};
use testkit::{
    Endpoints,
    engines::{ACCESS_KEY, REGION, SECRET_KEY},
};
use web::Doors;

use crate::{Settings, invoke, mock};

/// The registry table, whose stream is pumped.
pub(crate) const REGISTRY_TABLE: &str = "cuecard-registry";

/// How long a case of an evaluation may be worked on before its message comes again: a model's time-out, a judge's,
/// and time to read and store.
pub(crate) const CASE_TIME: Duration = Duration::from_secs(3 * DEFAULT_TIMEOUT.as_secs());

/// How long metrics may be counted before their messages come again.
pub(crate) const COUNTING_TIME: Duration = Duration::from_mins(1);

/// How long the messages of a batch may be sent before they come again.
pub(crate) const SENDING_TIME: Duration = Duration::from_secs(3 * notify::TIMEOUT.as_secs());

/// How often a message is tried, as the template has it: of all queues, and of that of webhooks.
const TRIES: u32 = 3;
const WEBHOOK_TRIES: u32 = 5;

/// The functions.
pub(crate) struct Functions {
    pub(crate) release: Release,
    pub(crate) queue_url: String,
    pub(crate) dead_letters_url: String,
    pub(crate) metrics_url: String,
    pub(crate) webhooks_url: String,
    doors: Doors,
    queue: Queue,
    metrics: Queue,
    webhooks: Queue,
    evaluation: Evaluation,
    console: console::App,
}

impl Functions {
    /// Connects to the engines and creates what is missing there. `origin` is where the mock will be.
    pub(crate) async fn connect(endpoints: &Endpoints, origin: &str, settings: &Settings) -> Result<Self> {
        let endpoints = runtime::aws::Endpoints {
            dynamodb: endpoints.dynamodb.clone(),
            s3: endpoints.s3.clone(),
            sqs: endpoints.sqs.clone(),
        };
        let aws = Aws::connect_to(endpoints, REGION, ACCESS_KEY, SECRET_KEY).await;
        let store = aws.store(store::Names {
            registry: REGISTRY_TABLE.to_owned(),
            telemetry: "cuecard-telemetry".to_owned(),
            bucket: "cuecard".to_owned(),
            archive: Some("cuecard".to_owned()),
        });
        store.create_missing().await?;
        let (queue_url, dead_letters_url) = Queue::create(&aws, "cuecard-eval", CASE_TIME, TRIES).await?;
        let (metrics_url, _) = Queue::create(&aws, "cuecard-metrics", COUNTING_TIME, TRIES).await?;
        let (webhooks_url, _) = Queue::create(&aws, "cuecard-webhooks", SENDING_TIME, WEBHOOK_TRIES).await?;
        let evaluation = settings.evaluation.clone();
        let models = Models::new(models::Settings {
            secrets: Secrets::new(Variables::secret),
            builtin: mock::catalogue(origin),
            ..models::Settings::of_reader().on(evaluation.model_hosts.clone(), true)
        })?;
        let sources = runtime::sources::system();
        let remote = settings.cache_url.as_ref();
        let remote = remote.map(|url| Remote::new(RemoteSettings::node(url), sources.clone())).transpose()?;
        let cache = Cache::new(store.clone(), remote, sources.clone());
        let cache = Arc::new(if settings.always_asks { cache.always_asking() } else { cache });
        let doors = Doors::new(Arc::clone(&cache), store.clone(), sources.clone(), web::WRITES_PER_MINUTE);
        let release = Release { registry: Registry { store, cache, sources, models: Arc::new(models) } };
        Ok(Self {
            console: console::App::new(doors.clone(), release.clone())?,
            release,
            evaluation,
            queue: Queue::new(&aws, &queue_url),
            queue_url,
            dead_letters_url,
            metrics: Queue::new(&aws, &metrics_url),
            metrics_url,
            webhooks: Queue::new(&aws, &webhooks_url),
            webhooks_url,
            doors,
        })
    }

    /// All HTTP functions on one port. What they share is put around them once: two fallbacks cannot be merged.
    pub(crate) fn router(&self) -> Router {
        let routes = authoring::routes(self.authoring())
            .merge(resolve::routes(self.resolve()))
            .merge(try_model::routes(self.try_model()))
            .merge(ingest::routes(self.ingest()))
            .merge(console::routes(self.console.clone()))
            .merge(invoke::routes(self.rollback()));
        web::finish(routes, &self.doors)
    }

    fn authoring(&self) -> authoring::App {
        authoring::App { doors: self.doors.clone(), release: self.release.clone() }
    }

    fn resolve(&self) -> resolve::App {
        let Registry { store, cache, sources, .. } = self.release.registry.clone();
        resolve::App::new(self.doors.clone(), store, cache, sources)
    }

    fn try_model(&self) -> try_model::App {
        try_model::App { doors: self.doors.clone(), registry: self.release.registry.clone() }
    }

    fn ingest(&self) -> ingest::App {
        ingest::App::new(self.doors.clone(), self.release.registry.clone(), self.metrics.clone())
    }

    fn rollback(&self) -> rollback::App {
        rollback::App { doors: self.doors.clone(), release: self.release.clone() }
    }

    pub(crate) fn dispatch(&self) -> dispatch::App {
        let (queue, webhooks) = (self.queue.clone(), self.webhooks.clone());
        dispatch::App { registry: self.release.registry.clone(), queue, webhooks }
    }

    pub(crate) fn propagate(&self) -> propagate::App {
        let Registry { store, cache, sources, .. } = self.release.registry.clone();
        propagate::App { store, cache, sources }
    }

    pub(crate) fn rollup(&self) -> rollup::App {
        let Registry { store, sources, .. } = self.release.registry.clone();
        rollup::App { store, sources }
    }

    pub(crate) fn eval_worker(&self) -> eval_worker::App {
        let judges = Judges {
            judge_model: self.evaluation.judge_model.clone(),
            embedding_model: self.evaluation.embedding_model.clone(),
        };
        eval_worker::App { registry: self.release.registry.clone(), queue: self.queue.clone(), judges }
    }

    pub(crate) fn notify(&self) -> Result<notify::App> {
        notify::App::new(self.release.registry.clone())
    }

    pub(crate) fn steer(&self, stuck_after: Duration) -> steer::App {
        let watch = Watch { every: self.evaluation.watch_every, most_usd: self.evaluation.watch_usd };
        // Here the key is made before anything else is.
        steer::App { release: self.release.clone(), stuck_after, watch, admin_key: None }
    }
}
