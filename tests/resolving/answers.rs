//! What an answer holds.

use serde_json::{Value, json};

use crate::scene::Scene;

const CLASSIFIER: &str = r#"{"template_text": "Classify: {{ message }}\n", "system_prompt": "Answer in {{ language }}.",
    "few_shot_examples": [{"input": "{{ message }}", "output": "a {# literal #}"}, {"input": "in", "output": "out"}],
    "temperature": 0.0, "max_tokens": 50, "params": {"top_p": 0.5, "stop": ["\n"]}, "config": {"owner": {"on call": true}}}"#;

const VALUES: &str = r#"{"message": "card lost", "language": "Welsh"}"#;

fn without_token(mut answer: Value) -> Value {
    assert!(
        answer.as_object_mut().unwrap().remove("resolution_token").is_some_and(|token| token.is_string())
    );
    answer
}

#[tokio::test]
async fn an_answer_has_every_field() {
    let scene = Scene::start().await;
    let prompt = scene.world.prompt("support", "classifier", &json!({})).await;
    scene.version(&prompt, r#"{"template_text": "an older one"}"#).await;
    let version = scene.version(&prompt, CLASSIFIER).await;
    scene.world.promote(&prompt, &version, "production").await.expect(200);
    let answer = scene.render("classifier", VALUES).await.expect(200);
    let expected = json!({
        "prompt_id": prompt["prompt_id"],
        "name": "classifier",
        "environment": "production",
        "version_id": version["version_id"],
        "version_number": 2,
        "resolved_text": "Classify: card lost\n",
        "system_prompt": "Answer in Welsh.",
        "few_shot_examples": [
            {"input": "{{ message }}", "output": "a {# literal #}"},
            {"input": "in", "output": "out"},
        ],
        "messages": [
            {"role": "system", "content": "Answer in Welsh."},
            {"role": "user", "content": "{{ message }}"},
            {"role": "assistant", "content": "a {# literal #}"},
            {"role": "user", "content": "in"},
            {"role": "assistant", "content": "out"},
            {"role": "user", "content": "Classify: card lost\n"},
        ],
        "model_id": "test/model",
        "temperature": 0.0,
        "max_tokens": 50,
        "params": {"top_p": 0.5, "stop": ["\n"]},
        "config": {"owner": {"on call": true}},
        "experiment_id": null,
        "variant": null,
        "sticky": false,
        "revision": 1,
    });
    assert_eq!(without_token(answer), expected);
}

#[tokio::test]
async fn a_bare_template_is_one_message_and_defaults_are_told() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let answer = scene.render("greeter", r#"{"name": "Ada"}"#).await.expect(200);
    assert_eq!(answer["messages"], json!([{"role": "user", "content": "Hello Ada"}]));
    assert_eq!((&answer["system_prompt"], &answer["few_shot_examples"]), (&Value::Null, &json!([])));
    assert_eq!((&answer["temperature"], &answer["max_tokens"]), (&json!(0.7), &json!(1000)));
    assert_eq!((&answer["params"], &answer["config"]), (&json!({}), &json!({})));
}

#[tokio::test]
async fn a_messages_prompt_has_no_text_and_takes_messages_in_its_placeholder() {
    let scene = Scene::start().await;
    let content = r#"{"messages": [{"role": "system", "content": "Be {{ tone }}."},
        {"type": "placeholder", "name": "history"}, {"role": "user", "content": "{{ question }}"}],
        "variables": [{"name": "tone"}, {"name": "question"}, {"name": "history", "type": "json"}]}"#;
    scene.live("chat", content).await;
    let values = r#"{"tone": "curt", "question": "And {{ tone }}?", "history": [
        {"role": "user", "content": "{{ tone }}"}, {"role": "assistant", "content": "{% raw %}"}]}"#;
    let answer = scene.render("chat", values).await.expect(200);
    assert_eq!(answer["resolved_text"], Value::Null);
    assert_eq!((&answer["system_prompt"], &answer["few_shot_examples"]), (&Value::Null, &json!([])));
    let expected = json!([
        {"role": "system", "content": "Be curt."},
        {"role": "user", "content": "{{ tone }}"},
        {"role": "assistant", "content": "{% raw %}"},
        {"role": "user", "content": "And {{ tone }}?"},
    ]);
    assert_eq!(answer["messages"], expected);
    for history in [r#""hello""#, "{}", r#"["hello"]"#, r#"[{"role": "nobody", "content": ""}]"#] {
        let values = format!(r#"{{"tone": "", "question": "", "history": {history}}}"#);
        let refused = scene.render("chat", &values).await.refused(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], "/variables/history", "{history}");
    }
}

#[tokio::test]
async fn fields_leaves_the_other_rendering_out() {
    let scene = Scene::start().await;
    scene.live("classifier", CLASSIFIER).await;
    let ask = |fields: &'static str| {
        let scene = &scene;
        async move {
            let query = [("prompt", "classifier"), ("variables", VALUES), ("fields", fields)];
            let got = scene.get(&query).await.expect(200);
            let variables: Value = serde_json::from_str(VALUES).unwrap();
            let body = json!({ "prompt": "classifier", "variables": variables, "fields": fields });
            let posted = scene.post(&body).await.expect(200);
            assert_eq!(without_token(got.clone()), without_token(posted));
            got.as_object().unwrap().clone()
        }
    };
    let text = ask("text").await;
    assert_eq!(text["resolved_text"], "Classify: card lost\n");
    assert!(!text.contains_key("messages"));
    let messages = ask("messages").await;
    assert_eq!(messages["messages"].as_array().unwrap().len(), 6);
    assert!(!messages.contains_key("resolved_text"));
    assert_eq!(text.len(), messages.len());
}
