//! A typed client of the HTTP API: a module for each resource, with the nouns of the routes.
//!
//! A request whose answer got lost is sent again where that does no harm: each POST that makes or moves something carries an
//! `Idempotency-Key` of its own, so that the server makes it once. To add a route: write its types and one method in
//! the module of its resource; a test compares the types with the API's own document.

pub mod audit;
mod call;
pub mod environments;
mod error;
pub mod evals;
pub mod experiments;
pub mod gate;
pub mod health;
pub mod keys;
pub mod metrics;
pub mod models;
pub mod moves;
mod page;
pub mod prompts;
pub mod resolve;
pub mod resolver;
pub mod rollouts;
pub mod snapshot;
pub mod teams;
pub mod test_sets;
pub mod trials;
pub mod versions;
pub mod webhooks;

use std::time::Duration;

use domain::{Sources, Timestamp};
use reqwest::Url;

pub use error::{Error, FieldProblem, Problem, Result};
pub use page::Page;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take: a model that is tried thinks for up to a minute.
const ANSWER: Duration = Duration::from_secs(90);

/// Where the API is, and who is asking.
#[derive(Clone, Default)]
pub struct Settings {
    /// `https://host`, with a path where the API stands below one.
    pub url: String,
    /// The whole key, `cue_<id>_<secret>`; none for what everybody may see.
    pub api_key: Option<String>,
    /// The person behind the key, for the audit.
    pub user: Option<String>,
}

/// A client. Cloning it shares the connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    settings: Settings,
    sources: Sources,
}

impl Client {
    /// A client of the API under this URL. Idempotency keys and pauses come from `sources`.
    pub fn new(settings: Settings, sources: Sources) -> Result<Self> {
        let no_url = || Error::Url(settings.url.clone());
        let url = Url::parse(&settings.url).map_err(|_| no_url())?;
        let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")).ok_or_else(no_url)?;
        let mut http = reqwest::Client::builder().connect_timeout(CONNECT);
        // A proxy does not know what is on this machine.
        if matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
            http = http.no_proxy();
        }
        let http = http.build().map_err(Error::Unusable)?;
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http, base, settings, sources })
    }

    /// The URL, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// What time it is for this client.
    pub fn now(&self) -> Timestamp {
        self.sources.now()
    }
}
