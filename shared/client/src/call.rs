//! One request: how it is made, and when it is made again.

use std::time::Duration;

use domain::RequestId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Response, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};

use crate::{ANSWER, Client, Error, Problem, Result};

/// How often a request is made again.
const RETRIES: u32 = 3;

/// The pause before the first repetition of one that met no server; each further one takes twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long an answer may take that somebody waits for who has something else to go on with.
const SOON: Duration = Duration::from_secs(5);

/// What a segment of a path keeps as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A text as one segment of a path.
pub(crate) fn segment(text: impl ToString) -> String {
    utf8_percent_encode(&text.to_string(), SEGMENT).to_string()
}

/// A request in the making.
pub(crate) struct Call<'c> {
    client: &'c Client,
    method: Method,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Whether it may be made again although the first one may have been worked on.
    repeatable: bool,
    /// Whether it shows whose call it is.
    signed: bool,
    /// How long its answer may take.
    patience: Duration,
}

/// An answer that its asker may have already.
pub(crate) struct Tagged<T> {
    /// How old what it says is, for all that the server knows.
    pub(crate) age: Duration,
    /// The answer with its tag; none where it has not changed.
    pub(crate) fresh: Option<(String, T)>,
}

impl Client {
    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        Call { repeatable: true, ..self.call(Method::GET, path) }
    }

    /// A POST that makes or moves something: once, however often it is sent.
    pub(crate) fn post_once(&self, path: &str) -> Call<'_> {
        let key = self.sources.id::<domain::RequestEntity>();
        let call = self.call(Method::POST, path).header("idempotency-key", RequestId::to_string(&key));
        Call { repeatable: true, ..call }
    }

    /// A POST that only asks, or that costs something each time.
    pub(crate) fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub(crate) fn put(&self, path: &str) -> Call<'_> {
        self.call(Method::PUT, path)
    }

    /// A PUT to a URL that says itself what it allows: whoever is there is not told the key.
    pub(crate) fn put_to(&self, url: String) -> Call<'_> {
        Call { url, repeatable: true, signed: false, ..self.call(Method::PUT, "") }
    }

    pub(crate) fn patch(&self, path: &str) -> Call<'_> {
        self.call(Method::PATCH, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call<'_> {
        self.call(Method::DELETE, path)
    }

    fn call(&self, method: Method, path: &str) -> Call<'_> {
        let url = format!("{}{path}", self.base);
        Call {
            client: self,
            method,
            url,
            headers: Vec::new(),
            body: Vec::new(),
            repeatable: false,
            signed: true,
            patience: ANSWER,
        }
    }
}

impl Call<'_> {
    fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With these names and values; what is `None` is left out.
    pub(crate) fn query(mut self, query: &impl Serialize) -> Self {
        // Only structures of texts and numbers come here, and those always have a form in a query.
        let query = serde_urlencoded::to_string(query).unwrap_or_default();
        if !query.is_empty() {
            self.url = format!("{}{}{query}", self.url, if self.url.contains('?') { '&' } else { '?' });
        }
        self
    }

    /// With this body.
    pub(crate) fn body(mut self, media_type: &str, bytes: Vec<u8>) -> Self {
        self.body = bytes;
        self.header("content-type", media_type.to_owned())
    }

    /// With this body, as JSON.
    pub(crate) fn json(self, body: &impl Serialize) -> Self {
        // What is sent has texts for keys, so it is always JSON.
        self.body("application/json", serde_json::to_vec(body).unwrap_or_default())
    }

    /// One that says itself by what it counts once.
    pub(crate) fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    /// For somebody who does not wait long.
    pub(crate) fn soon(self) -> Self {
        Self { patience: SOON, ..self }
    }

    /// Its answer, unless that is the one that has this tag. It is asked for once.
    pub(crate) async fn unless<T: DeserializeOwned>(mut self, tag: Option<&str>) -> Result<Tagged<T>> {
        self.headers.extend(tag.map(|tag| ("if-none-match", tag.to_owned())));
        let answer = self.once().await.map_err(|error| self.failed(error))?;
        let status = answer.status();
        let said = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let age = said("cuecard-age-ms").and_then(|age| age.parse().ok()).unwrap_or_default();
        let age = Duration::from_millis(age);
        if status == StatusCode::NOT_MODIFIED {
            return Ok(Tagged { age, fresh: None });
        }
        let tag = said("etag").unwrap_or_default().to_owned();
        let bytes = answer.bytes().await.map_err(|error| self.failed(error))?;
        if !status.is_success() {
            return Err(refused(status, &bytes));
        }
        let url = self.url.clone();
        let value = serde_json::from_slice(&bytes).map_err(|source| Error::NotUnderstood { url, source })?;
        Ok(Tagged { age, fresh: Some((tag, value)) })
    }

    /// Its answer.
    pub(crate) async fn answer<T: DeserializeOwned>(self) -> Result<T> {
        let url = self.url.clone();
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|source| Error::NotUnderstood { url, source })
    }

    /// Its answer as text.
    pub(crate) async fn text(self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes().await?).into_owned())
    }

    /// The bytes of its answer.
    pub(crate) async fn bytes(self) -> Result<Vec<u8>> {
        let (status, bytes) = self.sent().await?;
        if status.is_success() { Ok(bytes) } else { Err(refused(status, &bytes)) }
    }

    /// Its answer, whatever its status is.
    pub(crate) async fn any_answer<T: DeserializeOwned>(self) -> Result<T> {
        let url = self.url.clone();
        let (status, bytes) = self.sent().await?;
        serde_json::from_slice(&bytes).map_err(|source| {
            if status.is_success() { Error::NotUnderstood { url, source } } else { refused(status, &bytes) }
        })
    }

    /// Sends it until there is an answer, or no hope.
    async fn sent(&self) -> Result<(StatusCode, Vec<u8>)> {
        let mut attempt = 0;
        loop {
            let answered = match self.once().await {
                Ok(answer) => match pause_before_another(&answer, self.repeatable) {
                    Some(pause) if attempt < RETRIES => Err((None, pause)),
                    _ => match (answer.status(), answer.bytes().await) {
                        (status, Ok(bytes)) => Ok((status, bytes.to_vec())),
                        (_, Err(error)) => Err((Some(error), PAUSE * 2_u32.pow(attempt))),
                    },
                },
                Err(error) => Err((Some(error), PAUSE * 2_u32.pow(attempt))),
            };
            let pause = match answered {
                Ok(answer) => return Ok(answer),
                Err((Some(error), _)) if !self.may_repeat(&error, attempt) => return Err(self.failed(error)),
                Err((_, pause)) => pause,
            };
            tokio::time::sleep(self.client.sources.jitter(pause, pause + pause / 2)).await;
            attempt += 1;
        }
    }

    async fn once(&self) -> reqwest::Result<Response> {
        let Client { http, settings, .. } = self.client;
        let request = http.request(self.method.clone(), &self.url).timeout(self.patience);
        let mut request = request.body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if !self.signed {
            return request.send().await;
        }
        if let Some(key) = &settings.api_key {
            request = request.bearer_auth(key);
        }
        if let Some(user) = &settings.user {
            request = request.header("x-cuecard-user", user);
        }
        request.send().await
    }

    /// What met no server did nothing; what may have been worked on is repeated only where that is harmless.
    fn may_repeat(&self, error: &reqwest::Error, attempt: u32) -> bool {
        attempt < RETRIES && !error.is_builder() && (error.is_connect() || self.repeatable)
    }

    fn failed(&self, source: reqwest::Error) -> Error {
        let url = self.client.base.clone();
        let source = source.without_url();
        if source.is_connect() { Error::Unreachable { url, source } } else { Error::Lost { url, source } }
    }
}

fn refused(status: StatusCode, bytes: &[u8]) -> Error {
    Error::Refused(Box::new(Problem::read(status.as_u16(), bytes)))
}

/// How long the server wants us to wait before we ask again; `None`: its answer stands.
fn pause_before_another(answer: &Response, repeatable: bool) -> Option<Duration> {
    let again = match answer.status() {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::SERVICE_UNAVAILABLE => repeatable,
        _ => false,
    };
    let asked = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let asked = asked.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    // A gateway's 429 says no time, and its 503 says that nobody is behind it.
    let asked = asked.or((answer.status() == StatusCode::TOO_MANY_REQUESTS).then_some(PAUSE));
    asked.filter(|pause| again && *pause <= LONGEST_PAUSE)
}
