//! A process of the platform of a test.

use axum::Router;
use cache::{Remote, RemoteSettings};
use domain::Sources;
use models::{Models, Secrets, Settings};
use registry::Registry;
use release::Release;
use runtime::{Queue, aws::Aws};
use web::Doors;

use crate::{
    queues::Queues,
    world::{WorldSettings, names},
};

/// A process: its own memory over the same tables.
#[derive(Clone)]
pub struct Process {
    /// All routes.
    pub router: Router,
    /// The use cases.
    pub release: Release,
    /// What direct rollbacks need.
    pub rollback: rollback::App,
    pub(crate) queue: Queue,
    pub(crate) metrics: Queue,
    pub(crate) webhooks: Queue,
}

impl Process {
    pub(crate) fn start(
        aws: &Aws,
        cache: Option<&RemoteSettings>,
        sources: &Sources,
        settings: &WorldSettings,
        queues: &Queues,
    ) -> Self {
        Self::with_models(aws, cache, sources, settings, queues, of_world(settings))
    }

    /// The same, which has the providers' keys from Secrets Manager and calls Bedrock, both of them here.
    pub(crate) fn calling(
        aws: &Aws,
        sources: &Sources,
        settings: &WorldSettings,
        queues: &Queues,
        here: &str,
    ) -> Self {
        let config = aws.config().clone().into_builder().endpoint_url(here).build();
        let secrets = Secrets::manager(&config, sources.clock.clone());
        let models = Settings { secrets, aws: Some(config), ..of_world(settings) };
        Self::with_models(aws, None, sources, settings, queues, models)
    }

    fn with_models(
        aws: &Aws,
        cache: Option<&RemoteSettings>,
        sources: &Sources,
        settings: &WorldSettings,
        queues: &Queues,
        models: Settings,
    ) -> Self {
        let models = Models::new(models).expect("the models are well formed");
        let remote = cache.map(|settings| Remote::new(settings.clone(), sources.clone()));
        let remote = remote.transpose().expect("the cache's address is one");
        let registry = Registry::new(aws.store(names()), remote, sources.clone(), models);
        let (store, cache) = (registry.store.clone(), registry.cache.clone());
        let doors = Doors::new(cache.clone(), store.clone(), sources.clone(), settings.writes_per_minute);
        let release = Release { registry: registry.clone() };
        let [queue, metrics, webhooks] =
            [&queues.cases, &queues.metrics, &queues.webhooks].map(|url| Queue::new(aws, url));
        let console = console::App::new(doors.clone(), release.clone()).expect("its templates parse");
        let router = authoring::routes(authoring::App { doors: doors.clone(), release: release.clone() })
            .merge(resolve::routes(resolve::App::new(doors.clone(), store, cache, sources.clone())))
            .merge(ingest::routes(ingest::App::new(doors.clone(), registry.clone(), metrics.clone())))
            .merge(try_model::routes(try_model::App { doors: doors.clone(), registry }))
            .merge(console::routes(console));
        let rollback = rollback::App { doors: doors.clone(), release: release.clone() };
        Self { router: web::finish(router, &doors), release, rollback, queue, metrics, webhooks }
    }

    /// What counts metrics in it.
    pub fn rollup(&self) -> rollup::App {
        let Registry { store, sources, .. } = self.release.registry.clone();
        rollup::App { store, sources }
    }
}

/// How models are called in a world.
fn of_world(settings: &WorldSettings) -> Settings {
    Settings {
        timeout: settings.model_timeout,
        secrets: settings.secrets.clone(),
        builtin: settings.builtin.clone(),
        ..Settings::of_reader().on(None, true)
    }
}
