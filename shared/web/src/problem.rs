//! Errors as callers see them: RFC 9457 problem documents. This is the one place where an error becomes HTTP.

use std::any::Any;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Error, ErrorKind};
use serde_json::{Map, Value, json};

/// What a handler returns.
pub type Result<T> = std::result::Result<T, Problem>;

/// An error on its way out.
#[derive(Debug)]
pub struct Problem(Error);

impl<E: Into<Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Problem {
    /// The error, for who tells it in the words of another protocol.
    pub fn into_error(self) -> Error {
        self.0
    }
}

/// A problem that waits in an answer for the request's id, and for its line in the log.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) document: Map<String, Value>,
    pub(crate) log: String,
}

/// Where the types of problems are described.
const TYPES: &str = "https://cuecard.dev/problems/";

/// Status, slug and title of a kind of error. They are fixed: programs rely on them.
pub fn describe(kind: ErrorKind) -> (StatusCode, &'static str, &'static str) {
    use ErrorKind as K;
    use StatusCode as S;
    match kind {
        K::MalformedJson => (S::BAD_REQUEST, "malformed-json", "The body is not JSON"),
        K::Unauthenticated => (S::UNAUTHORIZED, "unauthenticated", "No valid key"),
        K::Forbidden => (S::FORBIDDEN, "forbidden", "The key's role does not reach"),
        K::NotFound => (S::NOT_FOUND, "not-found", "Not found"),
        K::NoSuchRoute => (S::NOT_FOUND, "no-such-route", "No such route"),
        K::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "method-not-allowed", "The route has no such method"),
        K::NoSuchPrompt => (S::NOT_FOUND, "no-such-prompt", "No such prompt"),
        K::NotLive => (S::NOT_FOUND, "not-live", "Nothing is live there"),
        K::Archived => (S::GONE, "archived", "The prompt is archived"),
        K::NameTaken => (S::CONFLICT, "name-taken", "The name is taken"),
        K::NewerVersion => (S::CONFLICT, "newer-version", "There is a newer version"),
        K::Moved => (S::PRECONDITION_FAILED, "moved", "The ref has moved"),
        K::RevisionNotReached => {
            (S::PRECONDITION_FAILED, "revision-not-reached", "The revision is not reached")
        }
        K::NotEvaluated => (S::CONFLICT, "not-evaluated", "The version has no verdict"),
        K::GateFailed => (S::CONFLICT, "gate-failed", "The version failed its evaluation"),
        K::ReviewNeeded => (S::CONFLICT, "review-needed", "The evaluation needs a review"),
        K::EvidenceStale => (S::CONFLICT, "evidence-stale", "The evaluation is out of date"),
        K::StagingNeeded => (S::CONFLICT, "staging-needed", "It was never live in staging"),
        K::ApprovalNeeded => (S::CONFLICT, "approval-needed", "Another releaser must approve"),
        K::ExperimentRunning => (S::CONFLICT, "experiment-running", "A trial splits the traffic"),
        K::Locked => (S::CONFLICT, "locked", "The environment is locked"),
        K::VariablesIncompatible => {
            (S::CONFLICT, "variables-incompatible", "The variables would break callers")
        }
        K::NoRollbackTarget => (S::CONFLICT, "no-rollback-target", "Nothing to roll back to"),
        K::Conflict => (S::CONFLICT, "conflict", "The present state does not allow this"),
        K::SecretNotRepeated => (S::CONFLICT, "secret-not-repeated", "A secret is shown only once"),
        K::IdempotencyMismatch => (
            S::UNPROCESSABLE_ENTITY,
            "idempotency-mismatch",
            "The idempotency key was used with another body",
        ),
        K::TooLarge => (S::PAYLOAD_TOO_LARGE, "too-large", "Too large"),
        K::UrlTooLong => (S::URI_TOO_LONG, "url-too-long", "The URL is too long"),
        K::UnsupportedMediaType => {
            (S::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Another media type is wanted")
        }
        K::Invalid => (S::UNPROCESSABLE_ENTITY, "invalid", "The input breaks a rule"),
        K::NotRendered => (S::UNPROCESSABLE_ENTITY, "not-rendered", "The template does not render"),
        K::TooManyRequests => (S::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests"),
        K::Contended => (S::SERVICE_UNAVAILABLE, "contended", "Too many changes at the same moment"),
        K::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "A dependency does not answer"),
        K::Provider => (S::BAD_GATEWAY, "provider", "The model's provider failed"),
        K::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "An error on our side"),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let error = self.0;
        let (status, document) = document_of(&error);
        let mut response = status.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if error.retryable() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Pending { document, log: log_of(&error) });
        response
    }
}

/// What the log says of an error. A rule's message may quote what somebody sent, and neither `variables` nor a
/// `user_id` may ever be in a log (api.md): of input that breaks a rule it names the place alone.
pub fn log_of(error: &Error) -> String {
    use ErrorKind as K;
    if !matches!(error.kind(), K::Invalid | K::MalformedJson | K::NotRendered) {
        return error.chain();
    }
    let (_, _, title) = describe(error.kind());
    let places: Vec<&str> = error.problems().iter().map(|problem| problem.pointer.as_str()).collect();
    if places.is_empty() { title.to_owned() } else { format!("{title}: {}", places.join(", ")) }
}

/// The status and the document of an error, without the request's id.
pub fn document_of(error: &Error) -> (StatusCode, Map<String, Value>) {
    let (status, slug, title) = describe(error.kind());
    let mut document = error.facts().clone();
    document.insert("type".to_owned(), json!(format!("{TYPES}{slug}")));
    document.insert("title".to_owned(), json!(title));
    document.insert("status".to_owned(), json!(status.as_u16()));
    document.insert("detail".to_owned(), json!(error.detail()));
    if !error.problems().is_empty() {
        document.insert("errors".to_owned(), json!(error.problems()));
    }
    (status, document)
}

pub(crate) async fn no_such_route() -> Problem {
    Problem(Error::new(ErrorKind::NoSuchRoute, "No such route. The API is described at /api/openapi.json"))
}

pub(crate) async fn method_not_allowed() -> Problem {
    let detail = "The route exists, but not with this method. The API is described at /api/openapi.json";
    Problem(Error::new(ErrorKind::MethodNotAllowed, detail))
}

/// The answer of a request that panicked.
pub(crate) fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text =
        cause.downcast_ref::<&str>().copied().or_else(|| cause.downcast_ref::<String>().map(String::as_str));
    Problem(Error::internal(format!("a panic: {}", text.unwrap_or("of no text")))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_says_where_input_breaks_a_rule_and_not_what_it_was() {
        let source = serde_json::from_str::<u8>("\"Ann's secret\"").unwrap_err();
        let error = Error::invalid("/variables/name", "It is \"Ann's secret\".").caused_by(source);
        assert_eq!(log_of(&error), "The input breaks a rule: /variables/name");
        let error = Error::new(ErrorKind::MalformedJson, "The body is not JSON: Ann's secret");
        assert_eq!(log_of(&error), "The body is not JSON");
        let error = Error::new(ErrorKind::Unavailable, "The table does not answer.");
        assert_eq!(log_of(&error), "The table does not answer.");
    }
}
