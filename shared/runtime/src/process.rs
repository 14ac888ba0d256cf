//! What every function on Lambda stands on.

use cache::Remote;
use domain::{Result, Sources, key::HashedKey};
use store::Store;

use crate::{Configuration, Evaluation, aws::Aws, cache_login, sources};

/// The clients, tables, cache and clocks of a process.
pub struct Process {
    /// The clients.
    pub aws: Aws,
    /// The tables and buckets.
    pub store: Store,
    /// The cache; `None`: memory stands over the tables.
    pub remote: Option<Remote>,
    /// Time, ids and randomness.
    pub sources: Sources,
    /// Whether models and webhooks may be on this machine's own addresses.
    pub models_on_loopback: bool,
    /// How versions are evaluated.
    pub evaluation: Evaluation,
    /// The deployment's first key.
    pub admin_key: Option<HashedKey>,
    /// Where Lambda puts the log.
    pub log_group: String,
}

impl Process {
    /// Connects to what the configuration names. The cache is connected to when it is first needed.
    pub async fn connect(configuration: Configuration) -> Result<Self> {
        // Its clock counts from here: what a cold start takes begins with the connecting.
        let sources = sources::system();
        let aws = Aws::connect().await;
        let remote = cache_login::remote(configuration.cache, &aws, &sources)?;
        let Configuration { names, models_on_loopback, evaluation, admin_key, log_group, .. } = configuration;
        let store = aws.store(names);
        Ok(Self { aws, store, remote, sources, models_on_loopback, evaluation, admin_key, log_group })
    }
}
