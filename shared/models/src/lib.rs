//! Calling models: which provider serves a model, and what came of a call.
//!
//! The catalogue's own entries live in the registry; this package knows those that are always there, and makes the
//! calls. Secrets are handed in by `runtime`: nothing here reads the environment, and no key is logged or shown.

mod error;
mod openai;
mod secrets;

use std::{sync::Arc, time::Duration};

use domain::{
    Result,
    content::ChatMessage,
    model::{ModelEntry, Provider},
};
use serde_json::{Map, Value};

use self::openai::OpenAi;
pub use self::{error::CallError, secrets::Secrets};

/// How long one call may take when nothing else is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// What [`Models`] is made of.
#[derive(Debug)]
pub struct Settings {
    /// How long one call may take, body included.
    pub timeout: Duration,
    /// Whether models may be on this machine: only where the whole platform is.
    pub allow_loopback: bool,
    /// The providers' keys.
    pub secrets: Secrets,
    /// Models that are there without being in anybody's catalogue.
    pub builtin: Vec<ModelEntry>,
}

impl Settings {
    /// The settings of a function on Lambda: no models but the catalogue's.
    pub fn of_function(secrets: Secrets, allow_loopback: bool) -> Self {
        Self { timeout: DEFAULT_TIMEOUT, allow_loopback, secrets, builtin: Vec::new() }
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
    /// Further parameters of the provider's API.
    pub params: &'a Map<String, Value>,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The text; the tool calls as JSON where the model answered with these.
    pub output: String,
    /// Tokens in, as the provider counts them.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// The model that answered, by its full name.
    pub model: Option<String>,
}

/// The one way to call a model.
#[derive(Debug, Clone)]
pub struct Models {
    builtin: Arc<[ModelEntry]>,
    allow_loopback: bool,
    openai: OpenAi,
}

impl Models {
    /// Prepares the client. Fails where a builtin entry is not valid, or the machine has no certificates to trust.
    pub fn new(settings: Settings) -> Result<Self> {
        let Settings { timeout, allow_loopback, secrets, builtin } = settings;
        builtin.iter().try_for_each(|entry| entry.validate(allow_loopback))?;
        Ok(Self {
            builtin: builtin.into(),
            allow_loopback,
            openai: OpenAi::new(timeout, allow_loopback, secrets)?,
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

    /// Refuses an entry that this installation could not call, or must not.
    pub fn validate(&self, entry: &ModelEntry) -> Result<()> {
        entry.validate(self.allow_loopback)
    }

    /// Refuses a model that no call from here can reach: its provider joins later, or its key is missing.
    pub fn check(&self, model: &ModelEntry) -> Result<(), CallError> {
        match model.provider {
            Provider::Openai => self.openai.check(model),
            provider @ (Provider::Anthropic | Provider::Bedrock) => Err(CallError::NotSupported { provider }),
        }
    }

    /// Calls a model once. Nothing is tried again here: the caller knows whether that is worth its time.
    pub async fn call(&self, model: &ModelEntry, request: &Request<'_>) -> Result<Completion, CallError> {
        match model.provider {
            Provider::Openai => self.openai.call(model, request).await,
            provider @ (Provider::Anthropic | Provider::Bedrock) => Err(CallError::NotSupported { provider }),
        }
    }
}
