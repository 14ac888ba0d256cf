//! `OpenAI`'s chat completions, as many providers and servers speak them.

use std::time::Duration;

use domain::{
    Error, Result,
    model::{ModelEntry, check_base_url},
};
use reqwest::{Client, Response, StatusCode, header, redirect};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{CallError, Completion, Request, Secrets};

/// Where calls go, and with which key, when an entry names no address.
const PUBLIC_URL: &str = "https://api.openai.com/v1";
const PUBLIC_SECRET: &str = "OPENAI_API_KEY";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer that is read.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// How much of a provider's words is passed on, in characters.
const MESSAGE_CHARS: usize = 500;

/// The client. It follows no redirect: a key goes nowhere but where the catalogue says.
#[derive(Debug, Clone)]
pub(crate) struct OpenAi {
    http: Client,
    allow_loopback: bool,
    secrets: Secrets,
}

impl OpenAi {
    pub(crate) fn new(timeout: Duration, allow_loopback: bool, secrets: Secrets) -> Result<Self> {
        let http = Client::builder()
            .timeout(timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .redirect(redirect::Policy::none())
            .build()
            .map_err(Error::internal)?;
        Ok(Self { http, allow_loopback, secrets })
    }

    pub(crate) async fn call(
        &self,
        model: &ModelEntry,
        request: &Request<'_>,
    ) -> Result<Completion, CallError> {
        let base_url = model.base_url.as_deref().unwrap_or(PUBLIC_URL);
        check_base_url(base_url, self.allow_loopback)
            .map_err(|detail| CallError::Misconfigured { detail })?;
        let key = self.key(model)?;
        let mut post = self
            .http
            .post(format!("{}/chat/completions", base_url.trim_end_matches('/')))
            .json(&body(model.api_model(), request));
        if let Some(key) = &key {
            post = post.bearer_auth(key);
        }
        let response = post.send().await.map_err(failed)?;
        read(response, key.as_deref()).await
    }

    pub(crate) fn check(&self, model: &ModelEntry) -> Result<(), CallError> {
        self.key(model).map(drop)
    }

    fn key(&self, model: &ModelEntry) -> Result<Option<String>, CallError> {
        let public = model.base_url.is_none().then_some(PUBLIC_SECRET);
        let Some(name) = model.secret_name.as_deref().or(public) else {
            return Ok(None);
        };
        self.secrets.get(name).map(Some).ok_or_else(|| CallError::MissingSecret { name: name.to_owned() })
    }
}

/// The body of a call. `params` may say anything but what makes the call ours: who is asked, what, and that the
/// answer comes in one piece.
fn body(api_model: &str, request: &Request<'_>) -> Map<String, Value> {
    let mut body = request.params.clone();
    body.remove("stream");
    body.remove("stream_options");
    body.insert("model".to_owned(), json!(api_model));
    body.insert("messages".to_owned(), json!(request.messages));
    body.entry("temperature").or_insert_with(|| json!(request.temperature));
    // Newer models take this one instead, and refuse both together.
    if !body.contains_key("max_completion_tokens") {
        body.entry("max_tokens").or_insert_with(|| json!(request.max_tokens));
    }
    body
}

async fn read(response: Response, key: Option<&str>) -> Result<Completion, CallError> {
    let status = response.status();
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(CallError::Throttled { retry_after: retry_after(&response) });
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return Err(CallError::Unavailable { reason: format!("status {}", status.as_u16()), source: None });
    }
    let body = bounded_body(response).await?;
    if status.is_success() {
        return completion(status, &body);
    }
    Err(rejected(status, &message(&body, key)))
}

/// Reads `Retry-After` in seconds; its other form, a date, would need a clock that agrees with the provider's.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn bounded_body(mut response: Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(rejected(
                response.status(),
                &format!("the answer is longer than {MAX_BODY_BYTES} bytes"),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    model: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Value>,
}

#[derive(Deserialize, Default)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

fn completion(status: StatusCode, body: &[u8]) -> Result<Completion, CallError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            CallError::Unavailable { reason: "its answer was cut".to_owned(), source: Some(error.into()) }
        } else {
            rejected(status, &format!("the answer is not a chat completion ({error})"))
        }
    })?;
    let Some(Choice { message }) = answer.choices.into_iter().next() else {
        return Err(rejected(status, "the answer has no choices"));
    };
    let spoken = message.content.filter(|text| !text.is_empty()).or(message.refusal);
    let usage = answer.usage.unwrap_or_default();
    Ok(Completion {
        output: spoken.or_else(|| message.tool_calls.map(|calls| calls.to_string())).unwrap_or_default(),
        input_tokens: usage.prompt_tokens,
        output_tokens: usage.completion_tokens,
        model: answer.model,
    })
}

/// What a refusal says: `error.message` where it has the usual shape, else its text; without the key, which some
/// providers repeat.
fn message(body: &[u8], key: Option<&str>) -> String {
    let shaped = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|body| body.pointer("/error/message").and_then(Value::as_str).map(str::to_owned));
    let text = shaped.unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned());
    match key {
        Some(key) => text.replace(key, "…"),
        None => text,
    }
}

fn rejected(status: StatusCode, message: &str) -> CallError {
    let message = message.chars().take(MESSAGE_CHARS).collect();
    CallError::Rejected { status: status.as_u16(), message }
}

/// A failure below HTTP. A request that could not even be built is ours; all others may pass.
fn failed(error: reqwest::Error) -> CallError {
    if error.is_builder() {
        return CallError::Misconfigured {
            detail: "its key or address does not make a valid request".to_owned(),
        };
    }
    let reason = if error.is_timeout() {
        "the call took too long"
    } else if error.is_connect() {
        "no connection"
    } else {
        "its answer was cut"
    };
    CallError::Unavailable { reason: reason.to_owned(), source: Some(error.into()) }
}

#[cfg(test)]
mod tests;
