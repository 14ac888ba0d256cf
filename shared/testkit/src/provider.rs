//! A provider of models, OpenAI-compatible, that answers what a test's script says.

use std::{
    collections::HashMap,
    fmt, io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Incoming, header, service::service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::watch, time::sleep};

use crate::http::{self, Failure, Server, listen};

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// The text.
    pub content: String,
}

/// A call, as the script sees it.
#[derive(Debug, Clone)]
pub struct CallInfo {
    /// The model that the caller asked for.
    pub model: String,
    /// The conversation; of a call for embeddings each text, as if a user had said it.
    pub messages: Vec<Message>,
    /// Which call with this last user message this is, from 1.
    pub attempt: u64,
    /// The whole request.
    pub body: Value,
}

impl CallInfo {
    /// The last user message; empty when there is none.
    pub fn user(&self) -> &str {
        last_user(&self.messages)
    }
}

/// What the provider does.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Answers with this text and a usage that counts words as tokens.
    Answer(String),
    /// Answers with these embeddings, and a usage that counts words as tokens.
    Vectors(Vec<Vec<f64>>),
    /// Fails with a status and, when given, `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// Refuses with a status and these words.
    Refusal(u16, String),
    /// Never answers.
    Hang,
    /// Answers 200 with JSON that ends in the middle.
    CutJson,
    /// Closes the connection without an answer.
    Drop,
}

type Script = dyn Fn(&CallInfo) -> Reply + Send + Sync;

/// A running provider. Dropping it cuts its connections.
#[derive(Debug)]
pub struct ScriptedProvider {
    server: Server,
    desk: Arc<Desk>,
}

impl ScriptedProvider {
    /// Starts a provider with a script.
    pub fn start(script: impl Fn(&CallInfo) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let desk = Arc::new(Desk {
            script: Box::new(script),
            latency: AtomicU64::new(0),
            allowed: watch::Sender::new(u64::MAX),
            record: Mutex::default(),
        });
        let service = service_fn({
            let desk = desk.clone();
            move |request| {
                let desk = desk.clone();
                async move { desk.answer(request).await }
            }
        });
        Ok(Self { server: Server::start(listen()?, service)?, desk })
    }

    /// The base URL, which ends in `/v1`.
    pub fn url(&self) -> String {
        format!("{}/v1", self.server.url())
    }

    /// Makes every later answer take this long, to the millisecond.
    pub fn set_latency(&self, latency: Duration) {
        self.desk.latency.store(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Answers the first so many calls alone; later ones wait until this allows more.
    pub fn answer_only(&self, calls: u64) {
        self.desk.allowed.send_replace(calls);
    }

    /// How many calls arrived.
    pub fn calls(&self) -> u64 {
        self.desk.record().per_user.values().sum()
    }

    /// How many calls arrived with this last user message.
    pub fn calls_for(&self, user: &str) -> u64 {
        self.desk.record().per_user.get(user).copied().unwrap_or_default()
    }

    /// The most calls that were under way at one time.
    pub fn peak(&self) -> u64 {
        self.desk.record().peak
    }

    /// The `Authorization` headers so far, in order; a call without one adds an empty text.
    pub fn authorizations(&self) -> Vec<String> {
        self.desk.record().authorizations.clone()
    }
}

struct Desk {
    script: Box<Script>,
    latency: AtomicU64,
    /// How many calls may be answered.
    allowed: watch::Sender<u64>,
    record: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Record {
    per_user: HashMap<String, u64>,
    authorizations: Vec<String>,
    under_way: u64,
    peak: u64,
}

impl Desk {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Failure> {
        let (head, body) = request.into_parts();
        let read = match head.uri.path().rsplit_once("/v1/") {
            Some((_, "chat/completions")) => conversation,
            Some((_, "embeddings")) => texts,
            _ => return Ok(error(StatusCode::NOT_FOUND, "no such route")),
        };
        let body = serde_json::from_slice(&http::read(body).await?);
        let (body, messages) = match body.and_then(|body| Ok((read(&body)?, body))) {
            Ok((messages, body)) => (body, messages),
            Err(problem) => return Ok(error(StatusCode::BAD_REQUEST, &problem.to_string())),
        };
        let model = body["model"].as_str().unwrap_or_default().to_owned();
        let authorization = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (attempt, under_way) = self.begin(last_user(&messages), authorization.unwrap_or_default());
        let call = CallInfo { model, messages, attempt, body };
        self.allowed.subscribe().wait_for(|allowed| under_way.number <= *allowed).await?;
        sleep(Duration::from_millis(self.latency.load(Ordering::SeqCst))).await;
        match (self.script)(&call) {
            Reply::Answer(text) => Ok(http::json(StatusCode::OK, completion(&call, &text))),
            Reply::Vectors(vectors) => Ok(http::json(StatusCode::OK, embeddings(&call, &vectors))),
            Reply::Status(status, retry_after) => {
                let mut response = error(StatusCode::from_u16(status)?, "scripted");
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
                }
                Ok(response)
            }
            Reply::Refusal(status, words) => Ok(error(StatusCode::from_u16(status)?, &words)),
            Reply::Hang => std::future::pending().await,
            Reply::CutJson => {
                let whole = completion(&call, "an answer that nobody reads to its end");
                Ok(http::json(StatusCode::OK, whole[..whole.len() / 2].to_owned()))
            }
            Reply::Drop => Err("scripted: dropped".into()),
        }
    }

    /// Notes a call: its attempt number, and a guard that lives as long as the call does.
    fn begin(&self, user: &str, authorization: &str) -> (u64, UnderWay<'_>) {
        let mut record = self.record();
        record.authorizations.push(authorization.to_owned());
        let number = u64::try_from(record.authorizations.len()).unwrap_or(u64::MAX);
        record.under_way += 1;
        record.peak = record.peak.max(record.under_way);
        let calls = record.per_user.entry(user.to_owned()).or_default();
        *calls += 1;
        (*calls, UnderWay { desk: self, number })
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("record", &self.record).finish_non_exhaustive()
    }
}

/// Counts a call as under way until it is dropped, which also happens when the caller goes away.
struct UnderWay<'a> {
    desk: &'a Desk,
    /// Which call this is, from 1.
    number: u64,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.desk.record().under_way -= 1;
    }
}

fn last_user(messages: &[Message]) -> &str {
    messages.iter().rev().find(|message| message.role == "user").map_or("", |message| &message.content)
}

fn conversation(body: &Value) -> serde_json::Result<Vec<Message>> {
    Vec::deserialize(&body["messages"])
}

fn texts(body: &Value) -> serde_json::Result<Vec<Message>> {
    let texts = Vec::<String>::deserialize(&body["input"])?;
    Ok(texts.into_iter().map(|content| Message { role: "user".to_owned(), content }).collect())
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn prompt_words(call: &CallInfo) -> usize {
    call.messages.iter().map(|message| words(&message.content)).sum()
}

fn embeddings(call: &CallInfo, vectors: &[Vec<f64>]) -> String {
    let data = vectors.iter().enumerate();
    let data =
        data.map(|(index, vector)| json!({ "object": "embedding", "index": index, "embedding": vector }));
    let prompt = prompt_words(call);
    json!({
        "object": "list",
        "model": call.model,
        "data": data.collect::<Vec<_>>(),
        "usage": { "prompt_tokens": prompt, "total_tokens": prompt },
    })
    .to_string()
}

fn completion(call: &CallInfo, text: &str) -> String {
    let (prompt, completion) = (prompt_words(call), words(text));
    json!({
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 0,
        "model": call.model,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": text },
            "finish_reason": "stop",
        }],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        },
    })
    .to_string()
}

fn error(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    let body = json!({ "error": { "message": message, "type": "scripted", "code": status.as_u16() } });
    http::json(status, body.to_string())
}

#[cfg(test)]
mod tests;
