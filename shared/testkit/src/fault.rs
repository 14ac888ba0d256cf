//! A proxy in front of an engine that does what the engines never do and AWS does: conflicts between transactions,
//! throttles, lost answers, calls that arrive twice, outages. Without rules it passes everything on and counts.

mod rules;

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode, body::Incoming, header, http::request::Parts, service::service_fn,
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::{sync::Semaphore, time::sleep};

pub use self::rules::{Rule, Rules};
use crate::http::{self, Failure, Server, listen};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Another transaction holds an item: `TransactionCanceledException` whose first reason is
    /// `TransactionConflict` for a transaction, `TransactionConflictException` for a single write.
    Conflict,
    /// The engine refuses with this exception and status 400, such as `ThrottlingException` or
    /// `ProvisionedThroughputExceededException`.
    Exception(&'static str),
    /// This HTTP status with a body that names no exception.
    Status(u16),
    /// The call is passed on after this time.
    Delay(Duration),
    /// The engine sees the call at once; its answer is held back until the rule ends.
    Hold,
    /// The engine sees the call when the rule ends.
    HoldBefore,
    /// The connection breaks before the engine sees the call.
    DropBefore,
    /// The engine applies the call and the answer is lost.
    DropAfter,
    /// The engine sees the call twice; the second answer is returned, as after a retry by somebody in between.
    Duplicate,
}

/// A call that the engine has answered.
#[derive(Debug, Clone, Copy)]
pub struct Passed<'a> {
    /// Method, path and headers.
    pub head: &'a Parts,
    /// The body.
    pub body: &'a [u8],
    /// The status of the answer.
    pub status: StatusCode,
}

type Witness = dyn Fn(Passed<'_>) + Send + Sync;

/// A running proxy. Dropping it cuts its connections.
#[derive(Debug)]
pub struct FaultProxy {
    server: Server,
    rules: Rules,
}

impl FaultProxy {
    /// Starts a proxy in front of `upstream`, a URL without a trailing slash.
    pub fn start(upstream: &str) -> io::Result<Self> {
        Self::before(upstream, None, |_| {})
    }

    /// The same in front of an engine that cannot answer several calls at once: each waits for the one before.
    pub fn one_at_a_time(upstream: &str) -> io::Result<Self> {
        Self::before(upstream, Some(Arc::new(Semaphore::new(1))), |_| {})
    }

    /// The same as the first, which tells `witness` of each call that the engine has answered.
    pub fn witnessed(
        upstream: &str,
        witness: impl Fn(Passed<'_>) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::before(upstream, None, witness)
    }

    fn before(
        upstream: &str,
        turns: Option<Arc<Semaphore>>,
        witness: impl Fn(Passed<'_>) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let rules = Rules::default();
        let proxy = Proxy {
            upstream: upstream.into(),
            rules: rules.clone(),
            turns,
            witness: Arc::new(witness),
            // A proxy of the host's environment must not come between.
            client: reqwest::Client::builder().no_proxy().build().map_err(io::Error::other)?,
        };
        let service = service_fn(move |request| {
            let proxy = proxy.clone();
            async move { proxy.answer(request).await }
        });
        Ok(Self { server: Server::start(listen()?, service)?, rules })
    }

    /// Where the proxy listens, to be used in place of `upstream`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What to inject and what was counted.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }
}

type Answer = Response<Full<Bytes>>;

#[derive(Clone)]
struct Proxy {
    upstream: Arc<str>,
    rules: Rules,
    /// One for each call that may be under way; `None`: any number may.
    turns: Option<Arc<Semaphore>>,
    witness: Arc<Witness>,
    client: reqwest::Client,
}

impl Proxy {
    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Failure> {
        let (head, body) = request.into_parts();
        let body = http::read(body).await?;
        let operation = operation(&head);
        let Some(rule) = self.rules.judge(&operation, &body) else { return self.pass(&head, body).await };
        match rule.fault() {
            Fault::Conflict => Ok(conflict(&operation, &body)),
            Fault::Exception(name) => Ok(exception(name, json!({}))),
            Fault::Status(status) => {
                Ok(http::json(StatusCode::from_u16(status)?, r#"{"message":"injected"}"#))
            }
            Fault::Delay(time) => {
                sleep(time).await;
                self.pass(&head, body).await
            }
            Fault::Hold => {
                let answer = self.pass(&head, body).await;
                rule.hold().await;
                answer
            }
            Fault::HoldBefore => {
                rule.hold().await;
                self.pass(&head, body).await
            }
            Fault::DropBefore => Err("injected: dropped before".into()),
            Fault::DropAfter => {
                self.pass(&head, body).await?;
                Err("injected: dropped after".into())
            }
            Fault::Duplicate => {
                self.pass(&head, body.clone()).await?;
                self.pass(&head, body).await
            }
        }
    }

    /// Passes a call on unchanged: `Host` too, because signatures cover it.
    async fn pass(&self, head: &Parts, body: Bytes) -> Result<Answer, Failure> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = head.headers.clone();
        headers.remove(header::TRANSFER_ENCODING);
        let call = self.client.request(head.method.clone(), format!("{}{path}", self.upstream));
        let call = call.headers(headers).body(body.clone());
        let answer = match &self.turns {
            None => call.send().await?,
            Some(turns) => in_turn(Arc::clone(turns), call).await?,
        };
        (self.witness)(Passed { head, body: &body, status: answer.status() });
        let mut response = Response::new(Full::default());
        *response.status_mut() = answer.status();
        response.headers_mut().clone_from(answer.headers());
        response.headers_mut().remove(header::TRANSFER_ENCODING);
        *response.body_mut() = Full::new(answer.bytes().await?);
        Ok(response)
    }
}

/// A caller that goes away does not end what the engine does: its turn lasts until the engine has answered.
async fn in_turn(turns: Arc<Semaphore>, call: RequestBuilder) -> Result<reqwest::Response, Failure> {
    let turn = turns.acquire_owned().await?;
    let answer = tokio::spawn(async move {
        let answer = call.send().await;
        drop(turn);
        answer
    });
    Ok(answer.await??)
}

fn operation(head: &Parts) -> String {
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.rsplit('.').next());
    operation.unwrap_or(head.method.as_str()).to_owned()
}

/// The shapes are those of DynamoDB: one reason for each item of the transaction, in order.
fn conflict(operation: &str, body: &Bytes) -> Answer {
    if !operation.starts_with("Transact") {
        return exception("TransactionConflictException", json!({}));
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let items = body["TransactItems"].as_array().map_or(1, Vec::len);
    let mut reasons = vec![json!({ "Code": "None" }); items];
    if let Some(first) = reasons.first_mut() {
        *first = json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item (injected)" });
    }
    exception("TransactionCanceledException", json!({ "CancellationReasons": reasons }))
}

fn exception(name: &str, mut body: Value) -> Answer {
    body["__type"] = json!(format!("com.amazonaws.dynamodb.v20120810#{name}"));
    body["Message"] = json!(format!("{name} (injected)"));
    http::json(StatusCode::BAD_REQUEST, body.to_string())
}

#[cfg(test)]
mod tests;
