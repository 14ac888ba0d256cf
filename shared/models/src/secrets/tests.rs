//! Keys of Secrets Manager and of elsewhere.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
};
use domain::Timestamp;
use serde_json::json;

use super::*;
use crate::fixture::{always, sdk, serve};

/// A clock that stands until a test moves it.
#[derive(Debug, Default)]
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        unreachable!("a key's age is told by the monotonic clock")
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

async fn given(secret: &str) -> Result<String, CallError> {
    let secret = secret.to_owned();
    Secrets::new(move |_| Some(secret.clone())).get("k").await
}

#[tokio::test]
async fn a_secret_is_a_key_or_an_object_that_has_one() {
    for (secret, key) in [
        ("sk-1\n", "sk-1"),
        (" {\"api_key\": \"sk-2 \"} ", "sk-2"),
        (r#"{"key":"sk-3","user":"u"}"#, "sk-3"),
        (r#"{"key":"no","api_key":"sk-4"}"#, "sk-4"),
        ("12345", "12345"),
        ("{odd", "{odd"),
    ] {
        assert_eq!(given(secret).await.unwrap(), key);
    }
    for secret in ["", " \n", r#"{"api_key":""}"#] {
        assert!(matches!(given(secret).await, Err(CallError::MissingSecret { name }) if name == "k"));
    }
    for secret in [r#"{"password":"sk-hidden"}"#, r#"{"api_key":["sk-hidden"]}"#] {
        let error = given(secret).await.unwrap_err();
        assert!(matches!(error, CallError::Misconfigured { .. }), "{error:?}");
        assert!(error.to_string().contains("`k`") && !format!("{error:?}").contains("sk-hidden"));
    }
}

#[tokio::test]
async fn a_key_is_asked_for_once_in_five_minutes() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let handler = async move |headers: HeaderMap, body: String| {
        assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
        let name = serde_json::from_str::<Value>(&body).unwrap()["SecretId"].as_str().unwrap().to_owned();
        let turn = counted.fetch_add(1, Ordering::SeqCst);
        json!({ "Name": name, "SecretString": format!("{name}-{turn}") }).to_string()
    };
    let clock = Arc::new(Hand::default());
    let origin = serve(Router::new().fallback(handler)).await;
    let secrets = Secrets::manager(&sdk(&origin), Arc::clone(&clock) as Arc<dyn Clock>);
    for (at, name, key) in [
        (0, "a", "a-0"),
        (0, "b", "b-1"),
        (299, "a", "a-0"),
        (300, "a", "a-2"),
        (599, "a", "a-2"),
        (600, "b", "b-3"),
    ] {
        clock.0.store(at, Ordering::SeqCst);
        assert_eq!(secrets.get(name).await.unwrap(), key, "{at}");
    }
    assert!(!format!("{secrets:?}").contains("a-2"));
}

async fn refused(status: u16, kind: &'static str) -> CallError {
    let status = StatusCode::from_u16(status).unwrap();
    let origin = always((status, json!({ "__type": kind, "message": "m" }).to_string())).await;
    Secrets::manager(&sdk(&origin), Arc::new(Hand::default())).get("team/key").await.unwrap_err()
}

#[tokio::test]
async fn a_missing_key_is_missing_and_a_silent_manager_may_answer_later() {
    let missing = refused(400, "ResourceNotFoundException").await;
    assert!(matches!(&missing, CallError::MissingSecret { name } if name == "team/key"), "{missing:?}");
    for (status, kind) in
        [(400, "AccessDeniedException"), (400, "InvalidRequestException"), (400, "DecryptionFailure")]
    {
        let error = refused(status, kind).await;
        assert!(matches!(&error, CallError::Misconfigured { .. }) && !error.transient(), "{error:?}");
        assert!(error.to_string().contains("team/key") && error.to_string().contains(kind), "{error}");
    }
    for (status, kind) in [(500, "InternalServiceError"), (400, "ThrottlingException"), (503, "")] {
        let error = refused(status, kind).await;
        assert!(error.transient() && error.to_string().contains("team/key"), "{error:?}");
    }
    let nobody = Secrets::manager(&sdk("http://127.0.0.1:1"), Arc::new(Hand::default()));
    let error = nobody.get("team/key").await.unwrap_err();
    assert!(matches!(error, CallError::SecretUnavailable { .. }));
    let told = domain::Error::from(error);
    assert_eq!(told.kind(), domain::ErrorKind::Provider);
    assert!(std::error::Error::source(&told).is_some());
}

#[tokio::test]
async fn a_binary_secret_is_no_key() {
    let origin = always(json!({ "Name": "k", "SecretBinary": "c2s=" }).to_string()).await;
    let error = Secrets::manager(&sdk(&origin), Arc::new(Hand::default())).get("k").await.unwrap_err();
    assert!(matches!(error, CallError::Misconfigured { .. }), "{error:?}");
}
