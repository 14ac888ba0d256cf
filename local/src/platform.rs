//! The platform as a value: started, reachable under a URL, stopped.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use release::Release;
use runtime::Evaluation;
use testkit::{Endpoints, Engines, Expired};

use crate::{
    StartError,
    admin_key::AdminKey,
    functions::Functions,
    mock::{self, MockSettings},
    pumps::Pumps,
    server::{self, Server},
};

/// How a platform is started.
pub struct Settings {
    /// The folder of all data; made where it is missing.
    pub folder: PathBuf,
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// The admin's whole key; `None`: the one that the folder keeps.
    pub admin_key: Option<String>,
    /// A cache of Valkey's protocol in front of the tables, `redis://host:port`; `None`: memory alone.
    pub cache_url: Option<String>,
    /// Whether refs and keys are asked for each time rather than served from memory; for measurements.
    pub always_asks: bool,
    /// How many cases of evaluations are worked on at once, at least 1.
    pub eval_concurrency: usize,
    /// How versions are evaluated.
    pub evaluation: Evaluation,
    /// How the development models behave.
    pub mock: MockSettings,
}

impl Settings {
    /// A free port, a key kept in the folder, 64 cases at once, and a mock that answers at once.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            port: 0,
            admin_key: None,
            cache_url: None,
            always_asks: false,
            eval_concurrency: 64,
            evaluation: Evaluation::default(),
            mock: MockSettings::default(),
        }
    }
}

/// A running platform. Dropping it cuts what is running; [`Platform::stop`] lets it finish.
pub struct Platform {
    url: String,
    folder: PathBuf,
    admin_key: AdminKey,
    release: Release,
    // These end in this order: the pumps still call the mock, and everything calls the engines.
    pumps: Pumps,
    server: Server,
    engines: Engines,
}

impl Platform {
    /// Starts everything. It serves when this returns.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let engines = Engines::start(&settings.folder, Expired::Removed).await?;
        let endpoints = engines.endpoints().clone();
        Self::start_through(engines, &endpoints, settings).await
    }

    /// The same over engines that run already, reached through `endpoints`: their own, or those of a proxy that
    /// injects faults.
    pub async fn start_through(
        engines: Engines,
        endpoints: &Endpoints,
        settings: Settings,
    ) -> Result<Self, StartError> {
        let (listener, url) = server::listen(settings.port).await?;
        let functions = Functions::connect(endpoints, &url, &settings).await?;
        let registry = &functions.release.registry;
        let admin_key = AdminKey::of(&settings, &registry.sources)?;
        registry.ensure_admin_key(&admin_key.presented()).await?;
        functions.steer(Duration::ZERO).begin().await?;
        let server = Server::start(listener, functions.router().merge(mock::router(settings.mock)));
        let release = functions.release.clone();
        let pumps = Pumps::start(&functions, endpoints, &settings)?;
        Ok(Self { url, folder: settings.folder, admin_key, release, pumps, server, engines })
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The admin's whole key.
    pub fn admin_key(&self) -> String {
        self.admin_key.to_string()
    }

    /// The use cases, for those who are in this process themselves.
    pub fn release(&self) -> &Release {
        &self.release
    }

    /// Lets what is in flight finish, for a few seconds at most, and ends. Cases that were not finished are sent out
    /// again by the next start.
    pub async fn stop(self) {
        self.pumps.stop().await;
        self.server.stop().await;
        self.engines.stop().await;
    }
}
