//! What is Bedrock's own.

use axum::http::StatusCode as Status;
use domain::model::Provider;
use serde_json::json;

use super::*;
use crate::{
    Models, Settings,
    fixture::{answered, ask, entry, good, listening, models},
};

const BEDROCK: Provider = Provider::Bedrock;
const ASKED: [(Role, &str); 1] = [(Role::User, "Hello")];

#[tokio::test]
async fn a_call_is_signed_and_its_roles_alternate() {
    let (origin, seen) = listening(good(BEDROCK)).await;
    let asked = [
        (Role::System, "Be kind."),
        (Role::User, "Hello"),
        (Role::User, "Anyone?"),
        (Role::Assistant, "Yes"),
        (Role::Developer, "Be brief."),
        (Role::User, "Good"),
    ];
    ask(BEDROCK, &origin, &asked, json!({})).await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].path, "/model/m/converse");
    let signed = seen[0].headers["authorization"].to_str().unwrap();
    assert!(signed.starts_with("AWS4-HMAC-SHA256 ") && signed.contains("/eu-west-1/bedrock/"), "{signed}");
    assert_eq!(
        seen[0].body,
        json!({"system": [{"text": "Be kind."}, {"text": "Be brief."}],
            "inferenceConfig": {"maxTokens": 50, "temperature": 0.25},
            "messages": [{"role": "user", "content": [{"text": "Hello"}, {"text": "Anyone?"}]},
                {"role": "assistant", "content": [{"text": "Yes"}]},
                {"role": "user", "content": [{"text": "Good"}]}]})
    );
}

#[tokio::test]
async fn parameters_go_to_converse_or_to_the_model() {
    let (origin, seen) = listening(good(BEDROCK)).await;
    let thinking = json!({"type": "enabled", "budget": [1, -2, 0.5, true, null, "x"]});
    let params = json!({"top_p": 0.5, "stop": "END", "temperature": null, "max_completion_tokens": 9,
        "top_k": 3, "thinking": thinking});
    ask(BEDROCK, &origin, &ASKED, params).await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(
        seen[0].body["inferenceConfig"],
        json!({"maxTokens": 9, "topP": 0.5, "stopSequences": ["END"]})
    );
    assert_eq!(seen[0].body.get("system"), None);
    assert_eq!(seen[0].body["additionalModelRequestFields"], json!({"top_k": 3, "thinking": thinking}));
}

#[tokio::test]
async fn parameters_without_a_place_and_of_a_wrong_type_are_refused() {
    for (params, named) in [
        (json!({"seed": 1}), "`seed`"),
        (json!({"tools": [], "tool_choice": "auto"}), "`tool_choice`, `tools`"),
        (json!({"top_p": "much"}), "\"much\""),
        (json!({"stop": 3}), "integer `3`"),
    ] {
        let error = ask(BEDROCK, "http://127.0.0.1:1", &ASKED, params).await.unwrap_err();
        assert!(matches!(&error, CallError::Misconfigured { detail } if detail.contains(named)), "{error:?}");
    }
}

#[tokio::test]
async fn failures_of_the_model_pass_and_refusals_stay() {
    let failed = async |status: u16, kind: &'static str| {
        let body = json!({"message": "So it is."}).to_string();
        answered(BEDROCK, (Status::from_u16(status).unwrap(), [("x-amzn-errortype", kind)], body))
            .await
            .unwrap_err()
    };
    for (status, kind) in [
        (429, "ModelNotReadyException"),
        (424, "ModelErrorException"),
        (408, "ModelTimeoutException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ] {
        let error = failed(status, kind).await;
        let words = format!("does not answer: status {status}.");
        assert!(error.transient() && error.to_string().contains(&words), "{error:?}");
    }
    for kind in ["ThrottlingException", "SomethingNew"] {
        assert!(matches!(failed(429, kind).await, CallError::Throttled { retry_after: None }));
    }
    for (status, kind) in [(400, "ValidationException"), (404, "ResourceNotFoundException")] {
        let error = failed(status, kind).await;
        let CallError::Rejected { status: found, message } = &error else { panic!("{error:?}") };
        assert_eq!((*found, message.as_str()), (status, "So it is."));
    }
    for kind in ["AccessDeniedException", "SomethingNew"] {
        let error = failed(403, kind).await;
        let words = "does not accept our key or role (status 403): So it is.";
        assert!(!error.transient() && error.to_string().contains(words), "{error:?}");
    }
}

#[tokio::test]
async fn nothing_is_tried_twice() {
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = std::sync::Arc::clone(&calls);
    let handler = async move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Status::SERVICE_UNAVAILABLE
    };
    let origin = crate::fixture::serve(axum::Router::new().fallback(handler)).await;
    ask(BEDROCK, &origin, &ASKED, json!({})).await.unwrap_err();
    assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn prompt_cache_tokens_count_and_blocks_without_text_do_not_speak() {
    let answer = json!({"output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "Hm."}}}, {"text": "Re"}, {"text": "fund"}]}},
        "stopReason": "end_turn", "metrics": {"latencyMs": 7}, "usage": {"inputTokens": 5, "outputTokens": 7,
            "totalTokens": 332, "cacheReadInputTokens": 300, "cacheWriteInputTokens": 20}});
    let found = answered(BEDROCK, answer.to_string()).await.unwrap();
    assert_eq!((found.output.as_str(), found.input_tokens, found.output_tokens), ("Refund", 325, 7));
}

#[tokio::test]
async fn it_is_called_by_a_role_at_its_own_address_alone() {
    let elsewhere = "http://127.0.0.1:1";
    let model = entry(BEDROCK, elsewhere);
    models(elsewhere).check(&model).await.unwrap();
    let nobody = Models::new(Settings::of_reader().on(None, true)).unwrap();
    let moved = ModelEntry { base_url: Some(elsewhere.to_owned()), ..model.clone() };
    let keyed = ModelEntry { secret_name: Some("some/key".to_owned()), ..model.clone() };
    for (models, model, why) in [
        (nobody, &model, "on AWS"),
        (models(elsewhere), &moved, "`base_url`"),
        (models(elsewhere), &keyed, "`secret_name`"),
    ] {
        let error = models.check(model).await.unwrap_err();
        assert!(matches!(&error, CallError::Misconfigured { detail } if detail.contains(why)), "{error:?}");
    }
}
