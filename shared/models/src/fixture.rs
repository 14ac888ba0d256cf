//! Providers on this machine, and calls of them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_bedrockruntime::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider, retry::RetryConfig,
};
use aws_types::SdkConfig;
use axum::{
    Router,
    http::{HeaderMap, Uri},
    response::IntoResponse,
};
use domain::{
    content::{ChatMessage, Role},
    model::{ModelEntry, Provider},
    money::Usd,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{CallError, Completion, Models, Request, Secrets, Settings};

pub(crate) const KEY: &str = "sk-very-secret";
pub(crate) const PROVIDERS: [Provider; 3] = [Provider::Openai, Provider::Anthropic, Provider::Bedrock];
/// Enough for any answer, however busy the machine is; a call that is meant to time out is given [`SHORT`].
pub(crate) const LONG: Duration = Duration::from_secs(30);
pub(crate) const SHORT: Duration = Duration::from_millis(300);

/// A good answer of each provider.
pub(crate) fn good(provider: Provider) -> String {
    let answer = match provider {
        Provider::Openai => {
            json!({"id": "c1", "model": "m-2026", "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Refund"}}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 3}})
        }
        Provider::Anthropic => {
            json!({"id": "m1", "model": "m-2026", "role": "assistant", "stop_reason": "end_turn",
            "content": [{"type": "text", "text": "Refund"}], "usage": {"input_tokens": 12, "output_tokens": 3}})
        }
        Provider::Bedrock => {
            json!({"output": {"message": {"role": "assistant", "content": [{"text": "Refund"}]}},
            "stopReason": "end_turn", "metrics": {"latencyMs": 7},
            "usage": {"inputTokens": 12, "outputTokens": 3, "totalTokens": 15}})
        }
    };
    answer.to_string()
}

/// The SDK's configuration for a stand-in of AWS.
pub(crate) fn sdk(origin: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .endpoint_url(origin)
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("id", KEY, None, None, "test")))
        .build()
}

/// Models on this machine, Bedrock at the origin.
pub(crate) fn models(origin: &str) -> Models {
    models_within(LONG, origin)
}

fn models_within(timeout: Duration, origin: &str) -> Models {
    let secrets = Secrets::new(|name| match name {
        "some/key" => Some(format!("{KEY}\n")),
        "broken" => Some("a\nb".to_owned()),
        "empty" => Some(String::new()),
        _ => None,
    });
    let settings =
        Settings { timeout, aws: Some(sdk(origin)), secrets, ..Settings::of_reader().on(None, true) };
    Models::new(settings).unwrap()
}

/// A model that is served at the origin.
pub(crate) fn entry(provider: Provider, origin: &str) -> ModelEntry {
    let of_aws = provider == Provider::Bedrock;
    ModelEntry {
        model_id: "classifier".to_owned(),
        provider,
        base_url: (!of_aws).then(|| origin.to_owned()),
        api_model: Some("m".to_owned()),
        input_usd_per_mtok: Usd::default(),
        output_usd_per_mtok: Usd::default(),
        max_concurrency: None,
        requests_per_minute: None,
        secret_name: (!of_aws).then(|| "some/key".to_owned()),
    }
}

pub(crate) async fn ask(
    provider: Provider,
    origin: &str,
    messages: &[(Role, &str)],
    params: Value,
) -> Result<Completion, CallError> {
    ask_of(&models(origin), &entry(provider, origin), messages, params).await
}

async fn ask_of(
    models: &Models,
    model: &ModelEntry,
    messages: &[(Role, &str)],
    params: Value,
) -> Result<Completion, CallError> {
    let messages: Vec<_> =
        messages.iter().map(|(role, text)| ChatMessage::new(*role, (*text).to_owned())).collect();
    let params = params.as_object().unwrap();
    models.call(model, &Request { messages: &messages, temperature: 0.25, max_tokens: 50, params }).await
}

pub(crate) async fn call(provider: Provider, origin: &str) -> Result<Completion, CallError> {
    call_within(LONG, provider, origin).await
}

pub(crate) async fn call_within(
    timeout: Duration,
    provider: Provider,
    origin: &str,
) -> Result<Completion, CallError> {
    let (models, model) = (models_within(timeout, origin), entry(provider, origin));
    let asked = ask_of(&models, &model, &[(Role::User, "Where is my money?")], json!({}));
    tokio::time::timeout(LONG, asked).await.expect("the call has an end")
}

/// Serves a router on a free port of this machine.
pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Serves one answer, whatever is asked.
pub(crate) async fn always(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> String {
    serve(Router::new().fallback(async move || answer.clone())).await
}

/// Calls a provider that always answers so.
pub(crate) async fn answered(
    provider: Provider,
    answer: impl IntoResponse + Clone + Send + Sync + 'static,
) -> Result<Completion, CallError> {
    call(provider, &always(answer).await).await
}

/// What a provider was asked.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// A provider that answers well and keeps what it was asked.
pub(crate) async fn listening(answer: String) -> (String, Arc<Mutex<Vec<Seen>>>) {
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let sink = Arc::clone(&seen);
    let handler = async move |uri: Uri, headers: HeaderMap, body: String| {
        let body = serde_json::from_str(&body).unwrap();
        sink.lock().unwrap().push(Seen { path: uri.path().to_owned(), headers, body });
        ([("content-type", "application/json")], answer.clone())
    };
    (serve(Router::new().fallback(handler)).await, seen)
}
