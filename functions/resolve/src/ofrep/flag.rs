//! A prompt as a flag.

use cache::Live;
use domain::{Caller, Error, ErrorKind, Result, content::ChatMessage};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    App,
    answer::{Answer, MAX_ANSWER_BYTES},
    ask::Ask,
    serve::Served,
};

/// An evaluated flag.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluatedFlag<'a> {
    /// The flag, as it was asked for: a prompt's name.
    pub key: &'a str,
    /// What to send to a model; left out where the application's own default is to be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<FlagValue<'a>>,
    /// Why it is this one.
    pub reason: FlagReason,
    /// The arm that serves, else the version, as `v12`; `archived` where nothing serves.
    pub variant: String,
    /// Left out where nothing serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<FlagMetadata<'a>>,
}

/// Why a flag has its value.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FlagReason {
    /// The version is live, for all who take no part in a trial.
    Static,
    /// An experiment or a canary assigned it.
    Split,
    /// The prompt is archived.
    Disabled,
}

/// A rendered prompt.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlagValue<'a> {
    /// What to send to a chat model.
    #[schema(value_type = Vec<Object>)]
    pub messages: &'a [ChatMessage],
    /// The rendered template; null for a `messages` prompt.
    pub text: Option<&'a str>,
    /// The rendered system prompt.
    pub system_prompt: Option<&'a str>,
    /// The model that the version was written for.
    pub model_id: &'a str,
    /// Sampling temperature.
    pub temperature: f64,
    /// The most tokens of an answer.
    pub max_tokens: u32,
}

/// What an answer is made of; flat, as clients want it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlagMetadata<'a> {
    /// The version's number.
    pub prompt_version: u32,
    /// The version.
    pub version_id: String,
    /// SHA-256 of its content.
    pub content_hash: &'a str,
    /// The environment.
    pub environment: &'a str,
    /// The experiment or canary that assigned it; left out where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_id: Option<String>,
    /// The ref's revision.
    pub revision: u64,
    /// Sent with metrics it says exactly what was answered; valid for 35 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    pub resolution_token: Option<&'a str>,
}

/// What came of an evaluation.
pub(super) enum Evaluated {
    /// A version serves. The body has no token yet.
    Served(Answer),
    /// Nothing does, since the prompt is archived.
    Disabled(Vec<u8>),
}

/// Evaluates a prompt that its caller knows by this key.
pub(super) async fn evaluate(app: &App, caller: &Caller, ask: Ask, key: &str) -> Result<Evaluated> {
    let view = |live: &Live, served: &Served<'_>, ask: &Ask| render(key, live, served, ask);
    match app.resolve(caller, ask, None, view).await {
        Ok(answer) => Ok(Evaluated::Served(answer)),
        Err(error) if error.kind() == ErrorKind::Archived => disabled(key).map(Evaluated::Disabled),
        Err(error) => Err(error),
    }
}

fn render(key: &str, live: &Live, served: &Served<'_>, ask: &Ask) -> Result<Vec<u8>> {
    let version = &served.version.version;
    let rendered = served.version.compiled.render(&ask.values)?;
    let settings = served.settings(live);
    let assignment = served.assignment.as_ref();
    let arm = assignment.map(|assignment| assignment.arm.clone());
    let flag = EvaluatedFlag {
        key,
        value: Some(FlagValue {
            messages: &rendered.messages,
            text: rendered.text.as_deref(),
            system_prompt: rendered.system_prompt.as_deref(),
            model_id: settings.model_id,
            temperature: settings.temperature,
            max_tokens: settings.max_tokens,
        }),
        reason: if assignment.is_some() { FlagReason::Split } else { FlagReason::Static },
        variant: arm.unwrap_or_else(|| format!("v{}", version.number)),
        metadata: Some(FlagMetadata {
            prompt_version: version.number,
            version_id: version.version_id.to_string(),
            content_hash: &version.content_sha256,
            environment: live.reference.environment.as_str(),
            experiment_id: assignment.map(|assignment| assignment.trial.to_string()),
            revision: live.reference.revision,
            // It is put in behind the others, for the `ETag` covers all but it.
            resolution_token: None,
        }),
    };
    serde_json::to_vec(&flag).map_err(Error::internal)
}

fn disabled(key: &str) -> Result<Vec<u8>> {
    let variant = "archived".to_owned();
    let flag = EvaluatedFlag { key, value: None, reason: FlagReason::Disabled, variant, metadata: None };
    serde_json::to_vec(&flag).map_err(Error::internal)
}

/// A body whose tokens are put in when it is known to be sent.
#[derive(Default)]
pub(super) struct Tokenless {
    /// What the `ETag` covers.
    pub(super) body: Vec<u8>,
    /// The tokens, each with its place.
    tokens: Vec<(usize, String)>,
}

/// How many braces close a flag behind its metadata: theirs and its own.
const CLOSING: usize = 2;

impl Tokenless {
    /// Appends a flag that a version serves.
    pub(super) fn push(&mut self, body: &[u8], token: String) {
        self.body.extend_from_slice(body);
        self.tokens.push((self.body.len() - CLOSING, token));
    }

    /// The body with its tokens, unless it is too large to be sent.
    pub(super) fn with_tokens(self) -> Result<Vec<u8>> {
        let mut whole = Vec::with_capacity(self.body.len() + self.tokens.len() * 512);
        let mut from = 0;
        for (at, token) in self.tokens {
            whole.extend_from_slice(&self.body[from..at]);
            whole.extend_from_slice(b",\"resolutionToken\":\"");
            whole.extend_from_slice(token.as_bytes());
            whole.push(b'"');
            from = at;
        }
        whole.extend_from_slice(&self.body[from..]);
        if whole.len() > MAX_ANSWER_BYTES { Err(too_large()) } else { Ok(whole) }
    }
}

/// More than can be sent.
pub(super) fn too_large() -> Error {
    let detail =
        format!("The answer would have more than {MAX_ANSWER_BYTES} bytes. Ask for each flag alone.");
    Error::new(ErrorKind::Invalid, detail)
}
