//! Calling models: which provider serves a model, and what came of a call.
//!
//! The catalogue's own entries live in the registry; this package knows those that are always there, and makes the
//! calls. Secrets are handed in by `runtime`: nothing here reads the environment, and no key is logged or shown.

mod anthropic;
mod bedrock;
mod conversation;
mod error;
#[cfg(test)]
mod fixture;
mod http;
mod openai;
mod public;
mod secrets;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use aws_types::SdkConfig;
use domain::{
    Clock, Result,
    content::ChatMessage,
    model::{ModelEntry, Provider},
    place::Places,
};
use serde_json::{Map, Value};

use self::http::Http;
pub use self::{error::CallError, public::client, secrets::Secrets};

/// How long one call may take when nothing else is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// What [`Models`] is made of.
#[derive(Debug)]
pub struct Settings {
    /// How long one call may take, body included.
    pub timeout: Duration,
    /// Whether models may be on this machine: only where the whole platform is.
    pub allow_loopback: bool,
    /// The only hosts that are called with keys, as [`domain::place::Places::hosts`] has them. `None`: any public
    /// one. Bedrock is not among them: the role opens it.
    pub allowed_hosts: Option<Vec<String>>,
    /// The providers' keys.
    pub secrets: Secrets,
    /// Region and role for Bedrock; its models cannot be called without.
    pub aws: Option<SdkConfig>,
    /// Models that are there without being in anybody's catalogue.
    pub builtin: Vec<ModelEntry>,
}

impl Settings {
    /// For a function that calls models: the catalogue's, with keys from Secrets Manager and the role's Bedrock.
    pub fn of_caller(aws: &SdkConfig, clock: Arc<dyn Clock>) -> Self {
        Self { secrets: Secrets::manager(aws, clock), aws: Some(aws.clone()), ..Self::of_reader() }
    }

    /// For a function that knows the catalogue and calls nobody: it has no key.
    pub fn of_reader() -> Self {
        Self {
            timeout: DEFAULT_TIMEOUT,
            allow_loopback: false,
            allowed_hosts: None,
            secrets: Secrets::new(|_| None),
            aws: None,
            builtin: Vec::new(),
        }
    }

    /// The same, where models may be only on these hosts (`None`: any public one), and on this machine if allowed.
    #[must_use]
    pub fn on(self, allowed_hosts: Option<Vec<String>>, allow_loopback: bool) -> Self {
        Self { allow_loopback, allowed_hosts, ..self }
    }
}

/// What a model is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The conversation.
    pub messages: &'a [ChatMessage],
    /// Sampling temperature.
    pub temperature: f64,
    /// The most tokens of the answer.
    pub max_tokens: u32,
    /// Further parameters, by `OpenAI`'s names or the provider's own. They win over the two above.
    pub params: &'a Map<String, Value>,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The text; the tool calls as JSON where the model answered with these.
    pub output: String,
    /// Tokens in, as the provider counts them, those of its prompt cache included.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// The model that answered, by its full name.
    pub model: Option<String>,
}

/// Texts as vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// One vector for each text, in their order; all of one length.
    pub vectors: Vec<Vec<f64>>,
    /// Tokens in, as the provider counts them.
    pub input_tokens: u64,
}

/// The one way to call a model.
#[derive(Debug, Clone)]
pub struct Models {
    builtin: Arc<[ModelEntry]>,
    http: Http,
    bedrock: Option<aws_sdk_bedrockruntime::Client>,
}

impl Models {
    /// Prepares the clients. Fails where a builtin entry is not valid, or the machine has no certificates to trust.
    pub fn new(settings: Settings) -> Result<Self> {
        let Settings { timeout, allow_loopback, allowed_hosts, secrets, aws, builtin } = settings;
        let places = Places { loopback: allow_loopback, hosts: allowed_hosts.as_deref() };
        builtin.iter().try_for_each(|entry| entry.validate(places))?;
        Ok(Self {
            builtin: builtin.into(),
            http: Http::new(timeout, places, secrets)?,
            bedrock: aws.map(|config| bedrock::client(&config, timeout)),
        })
    }

    /// A model that is always there.
    pub fn builtin(&self, model_id: &str) -> Option<&ModelEntry> {
        self.builtin.iter().find(|entry| entry.model_id == model_id)
    }

    /// All models that are always there.
    pub fn builtins(&self) -> &[ModelEntry] {
        &self.builtin
    }

    /// Where webhooks may be: on any public host, and on this machine where models may be there.
    pub fn places_of_webhooks(&self) -> Places<'_> {
        Places { hosts: None, ..self.http.places() }
    }

    /// Refuses an entry that this installation could not call, or must not.
    pub fn validate(&self, entry: &ModelEntry) -> Result<()> {
        entry.validate(self.http.places())
    }

    /// Refuses a model that no call from here can reach: its address is not allowed, its key is missing, or it is
    /// Bedrock's and there is no role. A transient error says that Secrets Manager does not answer.
    pub async fn check(&self, model: &ModelEntry) -> Result<(), CallError> {
        let public_secret = match model.provider {
            Provider::Openai => openai::PUBLIC_SECRET,
            Provider::Anthropic => anthropic::PUBLIC_SECRET,
            Provider::Bedrock => return bedrock::check(self.bedrock.as_ref(), model).map(drop),
        };
        self.http.check(model)?;
        self.http.key(model, public_secret).await.map(drop)
    }

    /// Calls a model once. Nothing is tried again here: the caller knows whether that is worth its time.
    pub async fn call(&self, model: &ModelEntry, request: &Request<'_>) -> Result<Completion, CallError> {
        match model.provider {
            Provider::Openai => openai::call(&self.http, model, request).await,
            Provider::Anthropic => anthropic::call(&self.http, model, request).await,
            Provider::Bedrock => {
                // Boxed, for it is large.
                let client = bedrock::check(self.bedrock.as_ref(), model)?;
                Box::pin(bedrock::call(client, model, request)).await
            }
        }
    }

    /// Turns texts into vectors, in one call. Only `OpenAI` and compatible services do; an answer may have 4 MiB,
    /// which is about 60 texts of the longest vectors.
    pub async fn embed(&self, model: &ModelEntry, texts: &[&str]) -> Result<Embedded, CallError> {
        match model.provider {
            Provider::Openai => openai::embed(&self.http, model, texts).await,
            provider @ (Provider::Anthropic | Provider::Bedrock) => Err(CallError::NotSupported { provider }),
        }
    }
}
