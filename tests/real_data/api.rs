//! The API as a client on the network sees it.

use std::time::Duration;

use local::Platform;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::{Value, json};

/// A caller with a key.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    url: String,
    key: String,
}

/// What was answered: status and JSON.
pub(crate) type Answer = (StatusCode, Value);

impl Api {
    /// The admin. Time-outs are longer than the 25 s that a request may wait for an evaluation.
    pub(crate) fn admin(platform: &Platform) -> Self {
        let client = Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().unwrap();
        Self { client, url: platform.url().to_owned(), key: platform.admin_key() }
    }

    /// The same client with a new key.
    pub(crate) async fn with_key(&self, team: &str, role: &str) -> Self {
        let name = format!("{role} of {team}");
        let made = self.post("/api/keys", &json!({ "team_id": team, "role": role, "name": name })).await;
        Self { key: text(&expect(made, 201)["secret"]).to_owned(), ..self.clone() }
    }

    /// The same key at another address.
    pub(crate) fn at(self, platform: &Platform) -> Self {
        Self { url: platform.url().to_owned(), ..self }
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        let url = format!("{}{path}", self.url);
        let url = Url::parse_with_params(&url, query).unwrap();
        self.send(self.client.get(url)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self.client.post(format!("{}{path}", self.url));
        self.send(request.json(body)).await
    }

    /// Puts cases as they are.
    pub(crate) async fn put_cases(&self, path: &str, cases: String) -> Answer {
        let request = self.client.put(format!("{}{path}", self.url));
        self.send(request.header("content-type", "application/jsonl").body(cases)).await
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.bearer_auth(&self.key).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }
}

/// The JSON of an answer, after insisting on its status.
#[track_caller]
pub(crate) fn expect((status, body): Answer, wanted: u16) -> Value {
    assert_eq!(status.as_u16(), wanted, "{body}");
    body
}

/// A member that must be a text.
#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}
