//! The protocol itself: revisions, wrong messages, and the end.

use e2e::ADMIN;
use serde_json::json;

use super::Served;
use crate::{retries, stage::Stage};

#[tokio::test(flavor = "multi_thread")]
async fn old_clients_are_spoken_to_in_their_revision_and_newer_ones_in_the_newest_with_a_handshake() {
    let stage = Stage::empty().await;
    for (theirs, spoken) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ] {
        let mut served = Served::silent(&stage, &[], &[("CUECARD_URL", stage.platform.url())]);
        let hello = served.shake(theirs).await;
        assert_eq!(hello["protocolVersion"], spoken, "{theirs}");
        assert_eq!(hello["capabilities"], json!({ "prompts": {}, "tools": {} }));
        assert_eq!(hello["serverInfo"]["name"], "cuecard");
        assert_eq!(served.ask("ping", json!({})).await["result"], json!({}));
        let ended = served.end().await;
        assert_eq!((ended.code, ended.rest.as_str()), (0, ""), "{}", ended.noted);
        assert!(ended.noted.contains(stage.platform.url()), "{}", ended.noted);
    }
    let ended = Served::silent(&stage, &[], &[]).end().await;
    assert_eq!((ended.code, ended.rest.as_str()), (0, ""), "nobody asked anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_read_is_told_by_its_code_and_ends_nothing() {
    let stage = Stage::empty().await;
    let mut served = Served::with(&stage, ADMIN, &[]).await;
    for (method, params, code) in [
        ("prompts/make", json!({}), -32601),
        ("resources/list", json!({}), -32601),
        ("tools/call", json!({ "name": "drop_everything" }), -32602),
        ("tools/call", json!({ "arguments": {} }), -32602),
        ("prompts/get", json!({ "name": 7 }), -32602),
        ("prompts/get", json!({ "name": "support/nobody" }), -32602),
        ("prompts/list", json!({ "cursor": "nowhere" }), -32602),
    ] {
        let answer = served.ask(method, params).await;
        assert_eq!(answer["error"]["code"], code, "{method}: {answer}");
        assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
    }
    // Whose question this was nobody can say: as other servers of the protocol do, it waits for the next one.
    served.say("{\"jsonrpc\": \"2.0\", \"id\": 99, ").await;
    served.say("").await;
    assert_eq!(served.ask("ping", json!({})).await["result"], json!({}));
    served.say(&json!({ "jsonrpc": "2.0", "id": 100 }).to_string()).await;
    assert_eq!(served.hear().await["error"]["code"], -32600);
    served.say(&json!({ "jsonrpc": "2.0", "id": "a name", "method": "ping" }).to_string()).await;
    assert_eq!(served.hear().await["id"], "a name");
    assert_eq!(served.end().await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_refused_and_so_is_what_speaks_otherwise() {
    let stage = Stage::empty().await;
    let mut served = Served::with(&stage, "cue_no_body", &[]).await;
    let answer = served.ask("prompts/list", json!({})).await;
    assert_eq!((&answer["error"]["code"], &answer["error"]["data"]["status"]), (&json!(-32600), &json!(401)));
    assert_eq!(served.call("list_versions", json!({ "prompt": "a/b" })).await["isError"], true);

    let mut served = Served::silent(&stage, &[], &[]);
    served.say(&json!({ "jsonrpc": "2.0", "id": 1, "result": {} }).to_string()).await;
    let ended = served.end().await;
    assert_eq!((ended.code, ended.rest.as_str()), (2, ""), "{}", ended.noted);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_is_not_answered_and_the_process_ends_with_its_input() {
    let stage = Stage::empty().await;
    let (mute, read) = retries::mute().await;
    let environment = [("CUECARD_URL", mute.url()), ("CUECARD_API_KEY", ADMIN)];
    let mut served = Served::silent(&stage, &[], &environment);
    served.shake("2025-11-25").await;
    let call = json!({ "name": "list_versions", "arguments": { "prompt": "prm_x" } });
    served
        .say(&json!({ "jsonrpc": "2.0", "id": 50, "method": "tools/call", "params": call }).to_string())
        .await;
    while *read.lock().unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    let cancelled = json!({ "requestId": 50, "reason": "Too slow" });
    let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled });
    served.say(&cancelled.to_string()).await;
    assert_eq!(served.ask("ping", json!({})).await["result"], json!({}));
    let ended = served.end().await;
    assert_eq!((ended.code, ended.rest.as_str()), (0, ""), "a question that was taken back has no answer");
}
