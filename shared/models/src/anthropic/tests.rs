//! What is Anthropic's own.

use domain::{content::Role, model::Provider};

use super::*;
use crate::fixture::{KEY, answered, ask, good, listening};

const ANTHROPIC: Provider = Provider::Anthropic;
const ASKED: [(Role, &str); 1] = [(Role::User, "Hello")];

#[tokio::test]
async fn instructions_go_before_the_conversation() {
    let (origin, seen) = listening(good(ANTHROPIC)).await;
    let asked = [
        (Role::System, "Be kind."),
        (Role::User, "Hello"),
        (Role::User, "Anyone?"),
        (Role::Developer, "Be brief."),
        (Role::Assistant, "Yes"),
    ];
    ask(ANTHROPIC, &format!("{origin}/"), &asked, json!({})).await.unwrap();
    ask(ANTHROPIC, &origin, &ASKED, json!({})).await.unwrap();

    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].path, "/v1/messages");
    assert_eq!(seen[0].headers["x-api-key"], KEY);
    assert_eq!(seen[0].headers["anthropic-version"], VERSION);
    assert!(!seen[0].headers.contains_key("authorization"));
    assert_eq!(
        seen[0].body,
        json!({"model": "m", "system": "Be kind.\n\nBe brief.", "max_tokens": 50, "temperature": 0.25,
            "messages": [{"role": "user", "content": "Hello"}, {"role": "user", "content": "Anyone?"},
                {"role": "assistant", "content": "Yes"}]})
    );
    assert_eq!(seen[1].body.get("system"), None);
}

#[tokio::test]
async fn parameters_get_the_names_that_anthropic_knows() {
    let (origin, seen) = listening(good(ANTHROPIC)).await;
    let function =
        json!({"name": "pay", "description": "Pays.", "parameters": {"type": "object", "required": []}});
    let sent = async |params: Value| {
        ask(ANTHROPIC, &origin, &ASKED, params).await.unwrap();
        let mut body = seen.lock().unwrap().pop().unwrap().body;
        for ours in ["model", "messages"] {
            body.as_object_mut().unwrap().remove(ours).unwrap();
        }
        body
    };
    for (params, expected) in [
        (
            json!({"stop": "END", "top_k": 3, "stream": true, "stream_options": {}, "seed": null}),
            json!({"stop_sequences": ["END"], "top_k": 3, "max_tokens": 50, "temperature": 0.25}),
        ),
        (
            json!({"stop": ["A", "B"], "max_completion_tokens": 9, "temperature": null}),
            json!({"stop_sequences": ["A", "B"], "max_tokens": 9}),
        ),
        (
            json!({"max_tokens": 8, "temperature": 1, "tools": [{"type": "function", "function": function},
                {"type": "function", "function": {"name": "go"}}, {"type": "web_search_20250305", "name": "w"}],
                "tool_choice": {"type": "function", "function": {"name": "pay"}}}),
            json!({"max_tokens": 8, "temperature": 1, "tools": [
                {"name": "pay", "description": "Pays.", "input_schema": {"type": "object", "required": []}},
                {"name": "go", "input_schema": {"type": "object"}}, {"type": "web_search_20250305", "name": "w"}],
                "tool_choice": {"type": "tool", "name": "pay"}}),
        ),
    ] {
        assert_eq!(sent(params).await, expected);
    }
    for (choice, expected) in [
        (json!("required"), json!({"type": "any"})),
        (json!("auto"), json!({"type": "auto"})),
        (json!("none"), json!({"type": "none"})),
        (json!({"type": "any"}), json!({"type": "any"})),
    ] {
        assert_eq!(sent(json!({ "tool_choice": choice })).await["tool_choice"], expected);
    }
}

#[tokio::test]
async fn parameters_without_a_place_are_refused_by_name_before_anything_is_sent() {
    let (origin, seen) = listening(good(ANTHROPIC)).await;
    let params =
        json!({"seed": 1, "top_p": 0.5, "response_format": {"type": "json_object"}, "model": "other"});
    let error = ask(ANTHROPIC, &origin, &ASKED, params).await.unwrap_err();
    let CallError::Misconfigured { detail } = &error else { panic!("{error:?}") };
    assert!(["`seed`", "`response_format`", "`model`"].iter().all(|name| detail.contains(name)), "{detail}");
    assert!(!detail.contains("top_p") && !error.transient());
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn text_is_put_together_and_tools_are_json_where_there_is_none() {
    let read = async |content: Value| {
        let usage = json!({"input_tokens": 5, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 300,
            "output_tokens": 7});
        answered(ANTHROPIC, json!({ "content": content, "usage": usage }).to_string()).await.unwrap()
    };
    let tool = json!({"type": "tool_use", "id": "t", "name": "pay", "input": {"usd": 3}});
    let thought = json!({"type": "thinking", "thinking": "Hm.", "signature": "s"});
    let spoken =
        read(json!([thought, {"type": "text", "text": "Re"}, tool, {"type": "text", "text": "fund"}])).await;
    assert_eq!(
        spoken,
        Completion { output: "Refund".to_owned(), input_tokens: 325, output_tokens: 7, model: None }
    );
    assert_eq!(read(json!([thought, tool])).await.output, json!([tool]).to_string());
    assert_eq!(read(json!([])).await.output, "");
}
