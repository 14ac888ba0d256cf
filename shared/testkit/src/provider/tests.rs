//! Tests of the scripted provider, through a real HTTP client.

use super::*;

fn ask(provider: &ScriptedProvider, user: &str) -> reqwest::RequestBuilder {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    let body = json!({ "model": "m-1", "messages": [
        { "role": "system", "content": "be brief" }, { "role": "user", "content": user },
    ] });
    client.post(format!("{}/chat/completions", provider.url())).bearer_auth("key").json(&body)
}

#[tokio::test]
async fn an_answer_depends_on_the_call_and_its_attempt() {
    let script = |call: &CallInfo| match call.attempt {
        1 => Reply::Status(429, Some(7)),
        _ => Reply::Answer(format!("{} heard {} of {}", call.model, call.user(), call.messages.len())),
    };
    let provider = ScriptedProvider::start(script).unwrap();
    let first = ask(&provider, "hello").send().await.unwrap();
    assert_eq!((first.status().as_u16(), &first.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    let second: Value = ask(&provider, "hello").send().await.unwrap().json().await.unwrap();
    assert_eq!(second["choices"][0]["message"]["content"], "m-1 heard hello of 2");
    assert_eq!(second["usage"], json!({ "prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8 }));
    assert_eq!(ask(&provider, "other").send().await.unwrap().status(), 429);
    assert_eq!((provider.calls(), provider.calls_for("hello"), provider.calls_for("nobody")), (3, 2, 0));
    assert_eq!(provider.authorizations(), ["Bearer key"; 3]);
}

#[tokio::test]
async fn it_can_fail_in_every_way_that_a_network_can() {
    let script = |call: &CallInfo| match call.user() {
        "hang" => Reply::Hang,
        "cut" => Reply::CutJson,
        _ => Reply::Drop,
    };
    let provider = ScriptedProvider::start(script).unwrap();
    let hang = ask(&provider, "hang").timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(hang.is_timeout(), "{hang:?}");
    let cut = ask(&provider, "cut").send().await.unwrap();
    assert_eq!(cut.status(), 200);
    assert!(cut.json::<Value>().await.unwrap_err().is_decode());
    let dropped = ask(&provider, "drop").send().await.unwrap_err();
    assert!(dropped.is_request() && !dropped.is_timeout(), "{dropped:?}");
}

#[tokio::test]
async fn a_call_beyond_those_allowed_waits() {
    let provider = ScriptedProvider::start(|_| Reply::Answer(String::new())).unwrap();
    provider.answer_only(1);
    assert_eq!(ask(&provider, "first").send().await.unwrap().status(), 200);
    let waits = ask(&provider, "second").timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(waits.is_timeout(), "{waits:?}");
    let third = tokio::spawn(ask(&provider, "third").send());
    provider.answer_only(3);
    assert_eq!(third.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn the_peak_counts_what_was_under_way_at_one_time() {
    let script = |call: &CallInfo| match call.user() {
        "alone" => Reply::Answer(String::new()),
        _ => Reply::Hang,
    };
    let provider = ScriptedProvider::start(script).unwrap();
    for _ in 0..3 {
        ask(&provider, "alone").send().await.unwrap();
    }
    assert_eq!(provider.peak(), 1);
    let hanging = ["a", "b", "c"].map(|user| tokio::spawn(ask(&provider, user).send()));
    while provider.peak() < 3 {
        sleep(Duration::from_millis(5)).await;
    }
    for call in hanging {
        call.abort();
    }
}

#[tokio::test]
async fn latency_holds_an_answer_back() {
    let provider = ScriptedProvider::start(|_: &CallInfo| Reply::Answer(String::new())).unwrap();
    provider.set_latency(Duration::from_mins(1));
    let late = ask(&provider, "hello").timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(late.is_timeout(), "{late:?}");
}

#[tokio::test]
async fn embeddings_answer_texts() {
    let script = |call: &CallInfo| {
        Reply::Vectors(call.messages.iter().map(|text| vec![f64::from(text.content == "b"), 1.0]).collect())
    };
    let provider = ScriptedProvider::start(script).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = client
        .post(format!("{}/embeddings", provider.url()))
        .json(&json!({ "model": "m", "input": ["a", "b"] }));
    let answer: Value = asked.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"][1], json!({ "object": "embedding", "index": 1, "embedding": [1.0, 1.0] }));
    assert_eq!((&answer["usage"]["prompt_tokens"], provider.calls()), (&json!(2), 1));
}
