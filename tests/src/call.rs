//! One request of a test, and its answer.

use std::sync::LazyLock;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::logged::{keep_out, keep_out_body, keep_out_fields, keep_out_header};

/// A request in the making.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Call {
    /// A request without key and body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A POST of JSON.
    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        Self::new(Method::POST, path).json(body)
    }

    /// A PUT of JSON.
    pub fn put(path: impl Into<String>, body: &Value) -> Self {
        Self::new(Method::PUT, path).json(body)
    }

    /// A PATCH of JSON.
    pub fn patch(path: impl Into<String>, body: &Value) -> Self {
        Self::new(Method::PATCH, path).json(body)
    }

    /// A DELETE.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// What it asks, without the host.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// With this key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this body, as JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().into_bytes())
    }

    /// With this body, as it is.
    #[must_use]
    pub fn bytes(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", media_type)
    }

    /// With this in its query.
    #[must_use]
    pub fn also_asking(mut self, query: &str) -> Self {
        let joint = if self.path.contains('?') { '&' } else { '?' };
        self.path = format!("{}{joint}{query}", self.path);
        self
    }

    /// Sends it over HTTP to a platform under this URL.
    pub async fn send_to(self, url: &str) -> Answer {
        static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
            // An answer is what the platform said, and not what it pointed at.
            let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
            client.build().expect("a client without settings can be made")
        });
        self.keep_out();
        let mut request = CLIENT.request(self.method, format!("{url}{}", self.path)).body(self.body);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.expect("the platform answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.expect("a platform's body ends well").to_vec();
        Answer { status, headers, body }.kept_out()
    }

    /// Sends it to a router.
    pub async fn send(self, router: &Router) -> Answer {
        self.keep_out();
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(self.body)).expect("a test's request is well formed");
        let Ok(answer) = router.clone().oneshot(request).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a router's body ends well").to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }.kept_out()
    }

    /// Says what of it no log may tell.
    fn keep_out(&self) {
        let query = self.path.split_once('?').map(|(_, query)| query).unwrap_or_default();
        keep_out(query);
        keep_out_fields(query.as_bytes());
        self.headers.iter().for_each(|(name, value)| keep_out_header(name, value));
        keep_out_body(&self.body);
    }
}

impl Answer {
    /// The same, after saying what of it no log may tell: new secrets of keys and sessions.
    fn kept_out(self) -> Self {
        keep_out_header("set-cookie", self.header("set-cookie"));
        keep_out(self.json()["secret"].as_str().unwrap_or_default());
        self
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The slug of a problem's type; empty when it is no problem.
    pub fn problem(&self) -> String {
        if self.header(header::CONTENT_TYPE.as_str()) != "application/problem+json" {
            return String::new();
        }
        let problem = self.json();
        problem["type"].as_str().and_then(|uri| uri.rsplit('/').next()).unwrap_or_default().to_owned()
    }

    /// The body as JSON, after insisting on the status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self.json()
    }

    /// The problem, after insisting on status and slug.
    #[track_caller]
    pub fn refused(&self, status: u16, slug: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.problem().as_str()), (status, slug), "{}", self.text());
        self.json()
    }
}

/// A member of an answer that must be a text.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}
