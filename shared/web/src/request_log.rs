//! Around every request: its id, its line in the log, its `Server-Timing`, and the finishing of problem documents.

use std::sync::{Arc, OnceLock};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Error, ErrorKind, RequestId, Sources, TraceId};
use serde_json::json;

use crate::problem::{Pending, Problem, log_of};

/// The most bytes of a path with its query: API Gateway's own limit is near.
const MAX_URL_BYTES: usize = 6 * 1024;

/// What went wrong with a request whose answer is no problem document, for its line in the log.
#[derive(Clone)]
pub struct Noted(String);

impl Noted {
    /// What went wrong.
    pub fn new(error: &domain::Error) -> Self {
        Self(log_of(error))
    }
}

/// Who called, for the log: the authentication says it here, on the request.
#[derive(Clone, Default)]
pub(crate) struct CalledBy(Arc<OnceLock<String>>);

impl CalledBy {
    /// Where to say it; nobody listens where no log is kept.
    pub(crate) fn of(request: &Extensions) -> Self {
        request.get().cloned().unwrap_or_default()
    }

    /// Says it, once a key has opened.
    pub(crate) fn note(&self, actor: &str) {
        let _ = self.0.set(actor.to_owned());
    }
}

pub(crate) async fn log_request(
    State(sources): State<Sources>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = sources.clock.monotonic();
    let id: RequestId = sources.id();
    let method = request.method().clone();
    // The path as routed, not as sent: names and queries of callers do not belong into logs.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let trace = trace_of(request.headers()).map(|trace| trace.to_string());
    let called_by = CalledBy::default();
    request.extensions_mut().insert(called_by.clone());
    let too_long = request.uri().path_and_query().is_some_and(|url| url.as_str().len() > MAX_URL_BYTES);
    let mut response = if too_long {
        let detail = "The URL is over 6 KiB. Send the same names in the body of a POST.";
        Problem::from(Error::new(ErrorKind::UrlTooLong, detail)).into_response()
    } else {
        next.run(request).await
    };
    let pending = finish_problem(&mut response, id);
    let took = sources.clock.monotonic().saturating_sub(started).as_secs_f64() * 1000.0;
    let id = id.to_string();
    let headers = response.headers_mut();
    insert(headers, "x-request-id", &id);
    insert(headers, "server-timing", &format!("total;dur={took:.2}"));
    let status = response.status().as_u16();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let noted = response.extensions_mut().remove::<Noted>().map(|Noted(log)| log);
    let error = pending.map(|pending| pending.log).or(noted);
    let (method, key) = (method.as_str(), called_by.0.get());
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                method,
                route,
                status,
                took_ms = took,
                request_id = id,
                key,
                trace_id = trace,
                error,
                "request"
            )
        };
    }
    if status >= 500 {
        line!(error);
    } else {
        line!(info);
    }
    response
}

/// Writes the body of a problem, now that the request has an id.
fn finish_problem(response: &mut Response, id: RequestId) -> Option<Pending> {
    let mut pending = response.extensions_mut().remove::<Pending>()?;
    pending.document.insert("instance".to_owned(), json!(format!("urn:cuecard:request:{id}")));
    match serde_json::to_vec(&pending.document) {
        Ok(body) => *response.body_mut() = Body::from(body),
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    Some(pending)
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The trace that the caller began.
pub(crate) fn trace_of(headers: &HeaderMap) -> Option<TraceId> {
    TraceId::of_parent(headers.get("traceparent")?.to_str().ok()?)
}
