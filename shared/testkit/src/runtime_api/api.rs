//! The Runtime API of one process: the four routes by which it takes events and answers them.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, http::request::Parts, service::service_fn,
};
use serde::Deserialize;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::{InvokeError, queue::Outcome};
use crate::{
    engines::{ACCOUNT, REGION},
    http::{self, Failure, Server, listen},
};

/// What every path begins with.
const VERSION: &str = "/2018-06-01/runtime/";

/// An event on its way to a process.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) payload: Bytes,
    /// When the invocation times out, in ms since 1970.
    pub(super) deadline: u64,
}

/// How a process that asks for an event gets it.
pub(super) type Ask = oneshot::Sender<Event>;

/// How a function reports an error.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Report {
    error_type: String,
    error_message: String,
}

/// A Runtime API that listens. Dropping it cuts its connections.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    server: Server,
    desk: Arc<Desk>,
    asks: Mutex<mpsc::Receiver<Result<Ask, String>>>,
}

#[derive(Debug)]
struct Desk {
    arn: String,
    asking: mpsc::Sender<Result<Ask, String>>,
    /// Who waits for the answer to which event.
    answers: std::sync::Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
}

impl RuntimeApi {
    /// Starts the Runtime API of the function of this name.
    pub(super) fn start(function: &str) -> io::Result<Self> {
        let (asking, asks) = mpsc::channel(1);
        let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}");
        let desk = Arc::new(Desk { arn, asking, answers: std::sync::Mutex::default() });
        let service = service_fn({
            let desk = desk.clone();
            move |request| {
                let desk = desk.clone();
                async move { desk.answer(request).await }
            }
        });
        Ok(Self { server: Server::start(listen()?, service)?, desk, asks: Mutex::new(asks) })
    }

    /// Where it listens, as the environment of a process says it.
    pub(super) fn address(&self) -> String {
        self.server.url().trim_start_matches("http://").to_owned()
    }

    /// Waits until the process asks for an event; fails when it says that it cannot start.
    pub(super) async fn asked(&self) -> Result<Ask, String> {
        // The desk holds the other end as long as this is here.
        self.asks.lock().await.recv().await.unwrap_or_else(|| Err("the Runtime API has ended".to_owned()))
    }

    /// What the process will answer to the event of this id.
    pub(super) fn answer_to(&self, id: &str) -> oneshot::Receiver<Outcome> {
        let (answer, answered) = oneshot::channel();
        self.desk.answers().insert(id.to_owned(), answer);
        answered
    }
}

impl Desk {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Failure> {
        let (Parts { method, uri, .. }, body) = request.into_parts();
        let body = http::read(body).await?;
        let path: Vec<_> = uri.path().strip_prefix(VERSION).unwrap_or_default().split('/').collect();
        match (method, path.as_slice()) {
            (Method::GET, ["invocation", "next"]) => {
                let (ask, given) = oneshot::channel();
                self.asking.send(Ok(ask)).await?;
                event(given.await?, &self.arn)
            }
            (Method::POST, ["invocation", id, "response"]) => Ok(self.settle(id, value(&body))),
            (Method::POST, ["invocation", id, "error"]) => {
                let Report { error_type, error_message: message } = report(&body);
                Ok(self.settle(id, Err(InvokeError::Function { error_type, message })))
            }
            (Method::POST, ["init", "error"]) => {
                let Report { error_type, error_message } = report(&body);
                self.asking.send(Err(format!("{error_type}: {error_message}"))).await?;
                Ok(accept())
            }
            _ => Ok(refuse(StatusCode::NOT_FOUND, "NotFound")),
        }
    }

    /// Hands an outcome to who waits for it, if anybody still does.
    fn settle(&self, id: &str, outcome: Outcome) -> Response<Full<Bytes>> {
        let answer = self.answers().remove(id);
        match answer.map(|answer| answer.send(outcome)) {
            Some(Ok(())) => accept(),
            _ => refuse(StatusCode::BAD_REQUEST, "InvalidRequestID"),
        }
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Outcome>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time until which an invocation that begins now may take, in ms since 1970.
pub(super) fn deadline(timeout: Duration) -> u64 {
    epoch_ms().saturating_add(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
}

/// The time, in ms since 1970.
#[expect(clippy::disallowed_methods, reason = "a process compares its deadline with the real clock")]
pub(super) fn epoch_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn event(event: Event, arn: &str) -> Result<Response<Full<Bytes>>, Failure> {
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("Lambda-Runtime-Aws-Request-Id", &event.id)
        .header("Lambda-Runtime-Deadline-Ms", event.deadline)
        .header("Lambda-Runtime-Invoked-Function-Arn", arn)
        .header("Lambda-Runtime-Trace-Id", trace(&event.id));
    Ok(response.body(Full::new(event.payload))?)
}

/// A sampled trace, with ids that follow from that of the event.
fn trace(id: &str) -> String {
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).collect();
    let digits = format!("{digits:0>32}");
    let (time, rest) = digits.split_at(8);
    format!("Root=1-{time}-{rest};Parent={};Sampled=1", &rest[8..])
}

fn value(body: &[u8]) -> Outcome {
    serde_json::from_slice(body).map_err(|error| InvokeError::Function {
        error_type: "Runtime.MarshalError".to_owned(),
        message: format!("the answer is no JSON: {error}"),
    })
}

fn report(body: &[u8]) -> Report {
    serde_json::from_slice(body).unwrap_or_default()
}

fn accept() -> Response<Full<Bytes>> {
    http::json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

fn refuse(status: StatusCode, kind: &str) -> Response<Full<Bytes>> {
    http::json(status, format!(r#"{{"errorType":"{kind}","errorMessage":"{kind}"}}"#))
}

#[cfg(test)]
mod tests;
