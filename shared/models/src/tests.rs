//! Providers that answer badly, late and not at all, whichever API they speak.

use std::{error::Error as _, future::pending};

use axum::{Router, http::StatusCode as Status};
use domain::{ErrorKind, content::Role};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::fixture::{
    KEY, LONG, PROVIDERS, SHORT, answered, ask, call, call_within, entry, good, models, sdk, serve,
};

/// Calls a provider that writes these bytes and then hangs up, or holds the line.
async fn written(provider: Provider, bytes: &'static [u8], hold: bool) -> Result<Completion, CallError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Bytes that come before the request would be no answer to it.
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        stream.write_all(bytes).await.unwrap();
        if hold {
            pending::<()>().await;
        }
    });
    call_within(if hold { SHORT } else { LONG }, provider, &origin).await
}

#[tokio::test]
async fn each_provider_answers_and_counts() {
    for provider in PROVIDERS {
        let model = (provider != Provider::Bedrock).then(|| "m-2026".to_owned());
        let expected = Completion { output: "Refund".to_owned(), input_tokens: 12, output_tokens: 3, model };
        assert_eq!(answered(provider, good(provider)).await.unwrap(), expected, "{provider}");
    }
}

#[tokio::test]
async fn a_throttled_call_says_how_long_to_wait() {
    for provider in PROVIDERS {
        let throttled = |wait: &'static str| {
            let body = r#"{"message":"slow down"}"#;
            let kind = ("x-amzn-errortype", "ThrottlingException");
            answered(provider, (Status::TOO_MANY_REQUESTS, [("retry-after", wait), kind], body))
        };
        for (header, expected) in [
            ("3", Some(Duration::from_secs(3))),
            ("0", Some(Duration::ZERO)),
            ("Fri, 20 Nov 2026 07:00:00 GMT", None),
            ("-1", None),
        ] {
            let error = throttled(header).await.unwrap_err();
            assert!(
                matches!(error, CallError::Throttled { .. }) && error.transient(),
                "{provider} {error:?}"
            );
            assert_eq!(error.retry_after(), expected, "{provider} {header}");
        }
    }
}

/// Meets everything that may pass with one provider.
async fn passes(provider: Provider) {
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let hangs = serve(Router::new().fallback(pending::<()>)).await;
    let cut = &good(provider)[..60];
    let overloaded = (Status::from_u16(529).unwrap(), [("retry-after", "7")], "{}");
    let overloaded = answered(provider, overloaded).await;
    assert_eq!(overloaded.as_ref().unwrap_err().retry_after(), Some(Duration::from_secs(7)), "{provider}");
    let half: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"o\":[";
    let dropped = if provider == Provider::Bedrock { "no connection" } else { "cut" };
    let page = if provider == Provider::Bedrock { "cut" } else { "no JSON" };
    for (failure, why) in [
        (overloaded, "status 529"),
        (answered(provider, Status::INTERNAL_SERVER_ERROR).await, "status 500"),
        (answered(provider, (Status::SERVICE_UNAVAILABLE, "<html>")).await, "status 503"),
        (answered(provider, (Status::OK, "<html>")).await, page),
        (answered(provider, Status::REQUEST_TIMEOUT).await, "status 408"),
        (call_within(SHORT, provider, &hangs).await, "too long"),
        (call(provider, &gone).await, "no connection"),
        (answered(provider, cut.to_owned()).await, "cut"),
        (written(provider, half, false).await, "cut"),
        (written(provider, half, true).await, "too long"),
        (written(provider, b"", false).await, dropped),
    ] {
        let error = failure.unwrap_err();
        assert!(error.transient(), "{provider} {error:?}");
        assert!(error.to_string().contains(why), "{provider} {error:?} ({why})");
        let error = domain::Error::from(error);
        assert_eq!(error.kind(), ErrorKind::Provider);
        assert!(error.detail().contains("provider"), "{error}");
    }
    let cut = domain::Error::from(answered(provider, cut.to_owned()).await.unwrap_err());
    assert!(cut.source().is_some(), "{provider}");
}

#[tokio::test]
async fn what_may_pass_is_transient() {
    tokio::join!(passes(Provider::Openai), passes(Provider::Anthropic), passes(Provider::Bedrock));
}

#[tokio::test]
async fn what_stays_is_not_transient_and_repeats_no_key() {
    for provider in PROVIDERS {
        let refusal = if provider == Provider::Bedrock {
            json!({ "message": "No access." })
        } else {
            json!({ "error": { "message": format!("Incorrect key {KEY}: No access.") } })
        };
        for (status, body, why) in [
            (Status::UNAUTHORIZED, refusal.to_string(), "No access."),
            (Status::BAD_REQUEST, refusal.to_string(), "No access."),
            (Status::OK, "{}".to_owned(), "the answer"),
        ] {
            let kind = [("x-amzn-errortype", "AccessDeniedException")];
            let error = answered(provider, (status, kind, body)).await.unwrap_err();
            let (CallError::Rejected { status: found, message }
            | CallError::NotLetIn { status: found, message }) = &error
            else {
                panic!("{provider} {error:?}")
            };
            assert!(*found == status.as_u16() && message.contains(why), "{provider} {error}");
            assert!(!error.transient() && !format!("{error:?}").contains(KEY));
            assert_eq!(error.says_nothing(), status == Status::UNAUTHORIZED, "{provider} {error}");
            assert_eq!(domain::Error::from(error).kind(), ErrorKind::Invalid);
        }
    }
}

#[tokio::test]
async fn a_tools_answer_has_no_place_in_a_conversation_without_calls() {
    for provider in [Provider::Anthropic, Provider::Bedrock] {
        let error = ask(provider, "http://127.0.0.1:1", &[(Role::Tool, "42")], json!({})).await.unwrap_err();
        assert!(
            matches!(&error, CallError::Misconfigured { detail } if detail.contains("`tool`")),
            "{error:?}"
        );
    }
}

#[test]
fn nothing_shows_a_key_and_builtin_models_are_found() {
    let here = "http://127.0.0.1:1";
    assert!(!format!("{:?} {:?}", models(here), sdk(here)).contains(KEY));
    let builtin = entry(Provider::Openai, "http://127.0.0.1:7070/mock/v1");
    let settings = |allow_loopback| Settings {
        builtin: vec![builtin.clone()],
        ..Settings::of_reader().on(None, allow_loopback)
    };
    let models = Models::new(settings(true)).unwrap();
    assert_eq!(models.builtin("classifier"), Some(&builtin));
    assert_eq!(models.builtin("other"), None);
    assert!(Models::new(settings(false)).is_err());
}
