//! What the client sends again, and what it does not.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse as _, Response},
};
use client::{Client, Error, Settings, keys::NewKey, trials::NewTrial, versions::Values};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

/// What a server was asked, by the idempotency keys.
type Asked = Arc<Mutex<Vec<String>>>;

fn client(url: &str) -> Client {
    let settings = Settings { url: url.to_owned(), ..Settings::default() };
    Client::new(settings, runtime::sources::system()).unwrap()
}

fn key(headers: &HeaderMap) -> String {
    headers.get("idempotency-key").map_or("", |key| key.to_str().unwrap()).to_owned()
}

/// A server that is busy `times` times.
async fn busy(times: usize, status: StatusCode) -> (Client, Asked) {
    let asked = Asked::default();
    let answer = async move |State(asked): State<Asked>, headers: HeaderMap| -> Response {
        let mut asked = asked.lock().unwrap();
        asked.push(key(&headers));
        if asked.len() <= times {
            return (status, [(RETRY_AFTER, "0")]).into_response();
        }
        let key = r#"{"key_id": "key_a", "team_id": "a", "role": "author", "name": "b", "email": null, "secret": "c",
            "created_by": "d", "created_at": "2026-11-20T07:00:00Z", "expires_at": null, "revoked_at": null,
            "rotated_to": null, "last_used_at": null}"#;
        (StatusCode::CREATED, key).into_response()
    };
    let router = Router::new().fallback(answer).with_state(asked.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    (client(&url), asked)
}

fn new_key() -> NewKey {
    let [team_id, role, name] = ["a", "author", "b"].map(str::to_owned);
    NewKey { team_id, role, name, email: None, expires_at: None }
}

fn new_trial() -> NewTrial {
    NewTrial { version_id: None, draft: None, variables: Values::new(), model_id: None }
}

#[tokio::test]
async fn who_is_busy_is_asked_again_under_the_same_idempotency_key() {
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        let (client, asked) = busy(2, status).await;
        assert_eq!(client.create_key(&new_key()).await.unwrap().secret, "c");
        let asked = asked.lock().unwrap().clone();
        assert!(asked.len() == 3 && asked.iter().all(|key| *key == asked[0] && key.len() > 20), "{asked:?}");
    }
}

#[tokio::test]
async fn who_stays_busy_is_believed_and_each_deed_has_a_key_of_its_own() {
    let (client, asked) = busy(usize::MAX, StatusCode::TOO_MANY_REQUESTS).await;
    let refused = client.create_key(&new_key()).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().status, 429);
    let first = asked.lock().unwrap().clone();
    assert_eq!(first.len(), 4);
    client.create_key(&new_key()).await.unwrap_err();
    assert_ne!(asked.lock().unwrap().last(), first.last());
}

/// A server that reads a request and says nothing; and how many it read.
pub(crate) async fn mute() -> (Client, Arc<Mutex<usize>>) {
    let read = Arc::new(Mutex::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::clone(&read);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            *count.lock().unwrap() += 1;
        }
    });
    (client(&url), read)
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_where_that_does_no_harm() {
    let (client, read) = mute().await;
    assert!(matches!(client.create_key(&new_key()).await.unwrap_err(), Error::Lost { .. }));
    assert_eq!(*read.lock().unwrap(), 4, "it is made once, however often it is asked for");
    assert!(matches!(client.models().await.unwrap_err(), Error::Lost { .. }));
    assert_eq!(*read.lock().unwrap(), 8);
    // Each call of a model costs, and a revocation may be done already.
    assert!(matches!(client.try_out(&new_trial()).await.unwrap_err(), Error::Lost { .. }));
    assert!(matches!(client.revoke_key("key_a").await.unwrap_err(), Error::Lost { .. }));
    assert_eq!(*read.lock().unwrap(), 10);
}

#[tokio::test]
async fn where_nobody_listens_that_is_said_with_the_place() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&url).try_out(&new_trial()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && error.to_string().contains(&url), "{error}");
}

#[tokio::test]
async fn an_answer_of_somebody_else_is_no_answer_of_the_api() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/api/models", axum::routing::get(async || "<html>"));
    let router = router.fallback(async || (StatusCode::BAD_GATEWAY, "<html>upstream</html>"));
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    assert!(matches!(client(&url).models().await.unwrap_err(), Error::NotUnderstood { .. }));
    let refused = client(&url).teams().await.unwrap_err();
    assert!(refused.to_string().contains("502") && refused.to_string().contains("upstream"), "{refused}");
    for wrong in ["", "ftp://a", "127.0.0.1:7070"] {
        let settings = Settings { url: wrong.to_owned(), ..Settings::default() };
        assert!(Client::new(settings, runtime::sources::system()).is_err(), "{wrong}");
    }
}
