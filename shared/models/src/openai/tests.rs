//! The client against providers that answer well, badly, late and not at all.

use std::{
    error::Error as _,
    future::pending,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode as Status, header::LOCATION},
    response::IntoResponse,
    routing::post,
};
use domain::model::Provider;
use domain::{
    ErrorKind,
    content::{ChatMessage, Role},
    money::Usd,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{Models, Settings};

const KEY: &str = "sk-very-secret";
const ANSWER: &str = r#"{"id":"c1","model":"m-2026","choices":[{"index":0,"message":{"role":"assistant",
    "content":"Refund"},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":3}}"#;

fn models(timeout: Duration) -> Models {
    let secrets = Secrets::new(|name| match name {
        "some/key" => Some(format!("{KEY}\n")),
        "broken" => Some("a\nb".to_owned()),
        "empty" => Some(String::new()),
        _ => None,
    });
    Models::new(Settings { timeout, allow_loopback: true, secrets, builtin: Vec::new() }).unwrap()
}

fn entry(base_url: String) -> ModelEntry {
    ModelEntry {
        model_id: "classifier".to_owned(),
        provider: Provider::Openai,
        base_url: Some(base_url),
        api_model: Some("m".to_owned()),
        input_usd_per_mtok: Usd::default(),
        output_usd_per_mtok: Usd::default(),
        max_concurrency: None,
        requests_per_minute: None,
        secret_name: Some("some/key".to_owned()),
    }
}

async fn call_with(entry: &ModelEntry, params: Value) -> Result<Completion, CallError> {
    let messages = [ChatMessage { role: Role::User, content: "Where is my money?".to_owned() }];
    let params = params.as_object().unwrap();
    let request = Request { messages: &messages, temperature: 0.2, max_tokens: 50, params };
    models(Duration::from_millis(500)).call(entry, &request).await
}

async fn call(entry: &ModelEntry) -> Result<Completion, CallError> {
    call_with(entry, json!({})).await
}

/// Serves a router on a free port of this machine.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/v1")
}

/// Calls a provider that always answers so.
async fn answered(
    answer: impl IntoResponse + Clone + Send + Sync + 'static,
) -> Result<Completion, CallError> {
    let router = Router::new().route("/v1/chat/completions", post(async move || answer.clone()));
    call(&entry(serve(router).await)).await
}

/// Calls a provider that writes these bytes and then hangs up, or holds the line.
async fn written(bytes: &'static [u8], hold: bool) -> Result<Completion, CallError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Bytes that come before the request would be no answer to it.
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        stream.write_all(bytes).await.unwrap();
        if hold {
            pending::<()>().await;
        }
    });
    call(&entry(base_url)).await
}

#[tokio::test]
async fn a_call_says_what_the_version_says_and_reads_the_answer() {
    let seen: Arc<Mutex<Vec<(HeaderMap, Value)>>> = Arc::default();
    let sink = Arc::clone(&seen);
    let handler = async move |headers: HeaderMap, body: String| {
        sink.lock().unwrap().push((headers, serde_json::from_str(&body).unwrap()));
        ANSWER
    };
    let base_url = serve(Router::new().route("/v1/chat/completions", post(handler))).await;
    let entry = entry(format!("{base_url}/"));
    let params = json!({"top_p": 0.5, "model": "other", "messages": [], "stream": true, "max_tokens": 7});
    let completion = call_with(&entry, params).await.unwrap();
    assert_eq!(
        completion,
        Completion {
            output: "Refund".to_owned(),
            input_tokens: 12,
            output_tokens: 3,
            model: Some("m-2026".to_owned())
        }
    );
    call_with(&entry, json!({"max_completion_tokens": 9})).await.unwrap();

    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].0["authorization"], format!("Bearer {KEY}"));
    assert_eq!(
        seen[0].1,
        json!({"model": "m", "messages": [{"role": "user", "content": "Where is my money?"}],
            "temperature": 0.2, "max_tokens": 7, "top_p": 0.5})
    );
    assert_eq!(seen[1].1.get("max_tokens"), None);
    assert_eq!(seen[1].1["max_completion_tokens"], 9);
}

#[tokio::test]
async fn an_answer_without_text_is_its_refusal_or_its_tool_calls() {
    let output = async |message: &str| {
        answered(format!(r#"{{"choices":[{{"message":{message}}}]}}"#)).await.unwrap().output
    };
    assert_eq!(output(r#"{"content":null,"refusal":"No."}"#).await, "No.");
    assert_eq!(output(r#"{"content":null,"tool_calls":[{"id":"t"}]}"#).await, r#"[{"id":"t"}]"#);
    assert_eq!(output(r#"{"content":""}"#).await, "");
}

#[tokio::test]
async fn what_may_pass_is_transient() {
    let throttled =
        answered((Status::TOO_MANY_REQUESTS, [("retry-after", "3")], "slow down")).await.unwrap_err();
    assert!(
        matches!(throttled, CallError::Throttled { retry_after: Some(wait) } if wait == Duration::from_secs(3))
    );
    let dated =
        answered((Status::TOO_MANY_REQUESTS, [("retry-after", "Fri, 20 Nov 2026 07:00:00 GMT")])).await;
    assert!(matches!(dated, Err(CallError::Throttled { retry_after: None })));

    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let hangs = serve(Router::new().fallback(pending::<()>)).await;
    for (failure, why) in [
        (answered(Status::INTERNAL_SERVER_ERROR).await, "status 500"),
        (answered(Status::SERVICE_UNAVAILABLE).await, "status 503"),
        (call(&entry(hangs)).await, "too long"),
        (call(&entry(gone)).await, "no connection"),
        (answered(&ANSWER[..60]).await, "cut"),
        (written(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"choices\":[", false).await, "cut"),
        (written(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"choices\":[", true).await, "too long"),
        (written(b"", false).await, "cut"),
    ] {
        let error = failure.unwrap_err();
        assert!(error.transient(), "{error:?}");
        assert!(error.to_string().contains(why), "{error:?} ({why})");
        let error = domain::Error::from(error);
        assert_eq!(error.kind(), ErrorKind::Provider);
        assert!(error.detail().contains("provider"), "{error}");
    }
    assert!(domain::Error::from(answered(&ANSWER[..60]).await.unwrap_err()).source().is_some());
}

#[tokio::test]
async fn what_stays_is_not_transient() {
    let big = vec![b' '; MAX_BODY_BYTES + 1];
    let refusal = format!(r#"{{"error":{{"message":"Incorrect key {KEY}."}}}}"#);
    for (failure, status, why) in [
        (answered((Status::UNAUTHORIZED, refusal)).await, 401, "Incorrect key …."),
        (answered((Status::BAD_REQUEST, "no such model")).await, 400, "no such model"),
        (answered((Status::FOUND, [(LOCATION, "http://127.0.0.1:1/")], "elsewhere")).await, 302, "elsewhere"),
        (answered(big).await, 200, "longer than"),
        (answered("<html>").await, 200, "not a chat completion"),
        (answered(r#"{"choices":[]}"#).await, 200, "no choices"),
    ] {
        let error = failure.unwrap_err();
        assert!(!error.transient(), "{error:?}");
        let CallError::Rejected { status: found, message } = &error else { panic!("{error:?}") };
        assert!(*found == status && message.contains(why), "{error}");
        assert!(!format!("{error:?}").contains(KEY));
        assert_eq!(domain::Error::from(error).kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn nothing_is_sent_without_its_key_or_to_a_forbidden_place() {
    let nowhere = "http://127.0.0.1:1/v1".to_owned();
    for name in ["unknown", "empty"] {
        let entry = ModelEntry { secret_name: Some(name.to_owned()), ..entry(nowhere.clone()) };
        let error = call(&entry).await.unwrap_err();
        assert!(matches!(&error, CallError::MissingSecret { name: missing } if missing == name));
        assert!(error.to_string().contains(name) && !error.transient());
    }
    let public = ModelEntry { base_url: None, secret_name: None, ..entry(nowhere.clone()) };
    assert!(
        matches!(call(&public).await, Err(CallError::MissingSecret { name }) if name == "OPENAI_API_KEY")
    );
    let broken = ModelEntry { secret_name: Some("broken".to_owned()), ..entry(nowhere.clone()) };
    assert!(matches!(call(&broken).await, Err(CallError::Misconfigured { .. })));
    let clear = entry("http://models.example/v1".to_owned());
    assert!(matches!(call(&clear).await, Err(CallError::Misconfigured { .. })));
    let later = ModelEntry { provider: Provider::Bedrock, ..entry(nowhere) };
    let error = call(&later).await.unwrap_err();
    assert!(matches!(error, CallError::NotSupported { .. }) && error.to_string().contains("bedrock"));
}

#[tokio::test]
async fn a_model_without_a_secret_is_called_without_a_key() {
    let handler = async |headers: HeaderMap| {
        if headers.contains_key("authorization") { Err(Status::BAD_REQUEST) } else { Ok(ANSWER) }
    };
    let base_url = serve(Router::new().route("/v1/chat/completions", post(handler))).await;
    call(&ModelEntry { secret_name: None, ..entry(base_url) }).await.unwrap();
}

#[test]
fn nothing_shows_a_key_and_builtin_models_are_found() {
    assert!(!format!("{:?}", models(Duration::from_secs(1))).contains(KEY));
    let builtin = entry("http://127.0.0.1:7070/mock/v1".to_owned());
    let settings = |allow_loopback| Settings {
        timeout: Duration::from_secs(1),
        allow_loopback,
        secrets: Secrets::new(|_| None),
        builtin: vec![builtin.clone()],
    };
    let models = Models::new(settings(true)).unwrap();
    assert_eq!(models.builtin("classifier"), Some(&builtin));
    assert_eq!(models.builtin("other"), None);
    assert!(Models::new(settings(false)).is_err());
}
