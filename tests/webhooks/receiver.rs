//! A receiver of webhooks on this machine.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use domain::{Timestamp, webhook::Secret};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

/// What arrived.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) timestamp: i64,
    pub(crate) signatures: Vec<String>,
    pub(crate) body: String,
}

impl Message {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Its `type`.
    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether one of its signatures is of this secret.
    pub(crate) fn is_signed_by(&self, secret: &Value) -> bool {
        let secret: Secret = serde_json::from_value(secret.clone()).unwrap();
        let at = Timestamp::from_millis(self.timestamp * 1000);
        self.signatures.contains(&secret.sign(&self.id, at, &self.body).unwrap())
    }
}

#[derive(Default)]
struct Desk {
    answers: Mutex<VecDeque<u16>>,
    arrived: Mutex<Vec<Message>>,
}

/// A running receiver. Dropping it ends it.
pub(crate) struct Receiver {
    url: String,
    desk: Arc<Desk>,
    _serving: JoinSet<()>,
}

impl Receiver {
    /// It takes everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk::default());
        let router = Router::new().fallback(take).with_state(Arc::clone(&desk));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, desk, _serving: serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/cuecard", self.url)
    }

    /// The next messages are answered so.
    pub(crate) fn answers(&self, statuses: &[u16]) {
        self.desk.answers.lock().unwrap().extend(statuses);
    }

    /// What arrived since the last time.
    pub(crate) fn arrived(&self) -> Vec<Message> {
        std::mem::take(&mut *self.desk.arrived.lock().unwrap())
    }
}

async fn take(State(desk): State<Arc<Desk>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let text =
        |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    assert_eq!(text("content-type"), "application/json");
    desk.arrived.lock().unwrap().push(Message {
        path: uri.path().to_owned(),
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp").parse().unwrap(),
        signatures: text("webhook-signature").split(' ').map(str::to_owned).collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let status = StatusCode::from_u16(desk.answers.lock().unwrap().pop_front().unwrap_or(204)).unwrap();
    if status.is_redirection() {
        return (status, [(header::LOCATION, "/elsewhere")]).into_response();
    }
    status.into_response()
}
