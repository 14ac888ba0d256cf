//! What is `OpenAI`'s own.

use axum::{
    Router,
    http::{HeaderMap, StatusCode as Status},
    routing::post,
};
use domain::{content::Role, model::Provider};

use super::*;
use crate::{
    fixture::{KEY, always, answered, ask, call, entry, good, listening, models, serve},
    http::MAX_BODY_BYTES,
};

const OPENAI: Provider = Provider::Openai;

#[tokio::test]
async fn a_call_says_what_the_version_says() {
    let (origin, seen) = listening(good(OPENAI)).await;
    let params = json!({"top_p": 0.5, "model": "other", "messages": [], "stream": true, "max_tokens": 7});
    let asked = [(Role::Developer, "Be brief."), (Role::User, "Where is my money?")];
    ask(OPENAI, &format!("{origin}/v1/"), &asked, params).await.unwrap();
    ask(OPENAI, &origin, &asked, json!({"max_completion_tokens": 9, "temperature": 1})).await.unwrap();

    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].path, "/v1/chat/completions");
    assert_eq!(seen[0].headers["authorization"], format!("Bearer {KEY}"));
    let messages = json!([{"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Where is my money?"}]);
    assert_eq!(
        seen[0].body,
        json!({"model": "m", "messages": messages, "temperature": 0.25, "max_tokens": 7, "top_p": 0.5})
    );
    assert_eq!(
        seen[1].body,
        json!({"model": "m", "messages": messages, "temperature": 1, "max_completion_tokens": 9})
    );
}

#[tokio::test]
async fn an_answer_without_text_is_its_refusal_or_its_tool_calls() {
    let output = async |message: &str| {
        answered(OPENAI, format!(r#"{{"choices":[{{"message":{message}}}]}}"#)).await.unwrap().output
    };
    assert_eq!(output(r#"{"content":null,"refusal":"No."}"#).await, "No.");
    assert_eq!(output(r#"{"content":null,"tool_calls":[{"id":"t"}]}"#).await, r#"[{"id":"t"}]"#);
    assert_eq!(output(r#"{"content":""}"#).await, "");
    // Some servers say that there are none.
    assert_eq!(output(r#"{"content":"","refusal":"","tool_calls":[]}"#).await, "");
    assert_eq!(output(r#"{"content":"","refusal":"","tool_calls":[7]}"#).await, "[7]");
}

#[tokio::test]
async fn what_is_no_completion_is_refused() {
    let elsewhere = (Status::FOUND, [("location", "http://127.0.0.1:1/")], "elsewhere");
    for (failure, status, why) in [
        (answered(OPENAI, (Status::BAD_REQUEST, "no such model")).await, 400, "no such model"),
        (answered(OPENAI, elsewhere).await, 302, "elsewhere"),
        (answered(OPENAI, vec![b' '; MAX_BODY_BYTES + 1]).await, 200, "longer than"),
        (answered(OPENAI, r#"{"choices":7}"#).await, 200, "not a chat completion"),
        (answered(OPENAI, r#"{"choices":[]}"#).await, 200, "no choices"),
    ] {
        let error = failure.unwrap_err();
        let CallError::Rejected { status: found, message } = &error else { panic!("{error:?}") };
        assert!(*found == status && message.contains(why), "{error}");
    }
}

#[tokio::test]
async fn nothing_is_sent_without_its_key_or_to_a_forbidden_place() {
    let nowhere = "http://127.0.0.1:1/v1";
    let refused = async |model: ModelEntry| {
        let checked = models(nowhere).check(&model).await.unwrap_err();
        let messages = [];
        let request = Request { messages: &messages, temperature: 0.0, max_tokens: 1, params: &Map::new() };
        let called = models(nowhere).call(&model, &request).await.unwrap_err();
        assert_eq!(checked.to_string(), called.to_string());
        assert!(!called.transient());
        called
    };
    for provider in [OPENAI, Provider::Anthropic] {
        let entry = entry(provider, nowhere);
        for name in ["unknown", "empty"] {
            let error = refused(ModelEntry { secret_name: Some(name.to_owned()), ..entry.clone() }).await;
            assert!(matches!(&error, CallError::MissingSecret { name: missing } if missing == name));
            assert!(error.to_string().contains(name));
        }
        let public = refused(ModelEntry { base_url: None, secret_name: None, ..entry.clone() }).await;
        let name = if provider == OPENAI { "OPENAI_API_KEY" } else { "ANTHROPIC_API_KEY" };
        assert!(matches!(public, CallError::MissingSecret { name: missing } if missing == name));
        let clear = ModelEntry { base_url: Some("http://models.example/v1".to_owned()), ..entry.clone() };
        assert!(matches!(refused(clear).await, CallError::Misconfigured { .. }));

        let broken = ModelEntry { secret_name: Some("broken".to_owned()), ..entry };
        let messages = [];
        let request = Request { messages: &messages, temperature: 0.0, max_tokens: 1, params: &Map::new() };
        let error = models(nowhere).call(&broken, &request).await.unwrap_err();
        assert!(matches!(error, CallError::Misconfigured { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_model_without_a_secret_is_called_without_a_key() {
    let handler = async |headers: HeaderMap| {
        if headers.contains_key("authorization") { Err(Status::BAD_REQUEST) } else { Ok(good(OPENAI)) }
    };
    let origin = serve(Router::new().route("/chat/completions", post(handler))).await;
    let open = ModelEntry { secret_name: None, ..entry(OPENAI, &origin) };
    let messages = [];
    let request = Request { messages: &messages, temperature: 0.0, max_tokens: 1, params: &Map::new() };
    models(&origin).call(&open, &request).await.unwrap();
    assert!(call(OPENAI, &origin).await.is_err(), "the handler sees a key");
}

#[tokio::test]
async fn texts_become_vectors_in_their_order() {
    let answer = json!({"data": [{"index": 1, "embedding": [0.5, -2]}, {"index": 0, "embedding": [1, 0.25]}],
        "usage": {"prompt_tokens": 5}});
    let (origin, seen) = listening(answer.to_string()).await;
    let found = models(&origin).embed(&entry(OPENAI, &origin), &["one", "two"]).await.unwrap();
    assert_eq!(found, Embedded { vectors: vec![vec![1.0, 0.25], vec![0.5, -2.0]], input_tokens: 5 });
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].path, "/embeddings");
    assert_eq!(seen[0].body, json!({"model": "m", "input": ["one", "two"], "encoding_format": "float"}));
    assert_eq!(seen[0].headers["authorization"], format!("Bearer {KEY}"));
}

#[tokio::test]
async fn vectors_that_do_not_fit_the_texts_are_refused() {
    let vector = |index: u32, embedding: Value| json!({ "index": index, "embedding": embedding });
    for (data, why) in [
        (json!([]), "one vector for each text"),
        (json!([vector(0, json!([1]))]), "one vector for each text"),
        (json!([vector(0, json!([1])), vector(0, json!([1]))]), "one vector for each text"),
        (json!([vector(0, json!([1])), vector(1, json!([1, 2]))]), "one length"),
        (json!([vector(0, json!([])), vector(1, json!([]))]), "empty"),
        (json!([vector(0, json!("base64")), vector(1, json!("base64"))]), "not a list of embeddings"),
    ] {
        let origin = always(json!({ "data": data }).to_string()).await;
        let error = models(&origin).embed(&entry(OPENAI, &origin), &["one", "two"]).await.unwrap_err();
        assert!(matches!(&error, CallError::Rejected { message, .. } if message.contains(why)), "{error:?}");
    }
    for provider in [Provider::Anthropic, Provider::Bedrock] {
        let nowhere = "http://127.0.0.1:1";
        let error = models(nowhere).embed(&entry(provider, nowhere), &["one"]).await.unwrap_err();
        assert!(matches!(error, CallError::NotSupported { .. }));
        assert!(!error.transient() && error.to_string().contains(&provider.to_string()));
    }
}
