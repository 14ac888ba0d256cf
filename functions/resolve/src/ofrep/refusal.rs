//! Errors in the words of OFREP.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Error, ErrorKind};
use serde::Serialize;
use utoipa::ToSchema;
use web::{Noted, Problem};

use super::context::{CONTEXT, TARGETING_KEY};

/// Why a flag, or all of them, cannot be evaluated.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvaluationFailure {
    /// The flag; left out where it is about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What kind of thing is wrong.
    pub error_code: FlagErrorCode,
    /// What is wrong, and what to do about it.
    pub error_details: String,
}

/// An error that is not the caller's.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GeneralFailure {
    /// What is wrong.
    pub error_details: String,
}

/// The kinds of errors that clients of OpenFeature know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FlagErrorCode {
    /// The body is no JSON.
    ParseError,
    /// Nobody is named whom it is for.
    TargetingKeyMissing,
    /// The context does not read, or its values do not fit the prompt's variables.
    InvalidContext,
    /// Nothing is live under this name.
    FlagNotFound,
    /// Anything else.
    General,
}

/// What an error is to a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may not ask, or not so often.
    Refused(StatusCode),
    /// There is no such flag.
    NotFound,
    /// It has to ask for something else.
    Bad(FlagErrorCode),
    /// It can do nothing about it.
    Ours,
}

impl Verdict {
    pub(super) fn of(error: &Error) -> Self {
        use ErrorKind as K;
        match error.kind() {
            K::Unauthenticated => Self::Refused(StatusCode::UNAUTHORIZED),
            K::Forbidden => Self::Refused(StatusCode::FORBIDDEN),
            K::TooManyRequests => Self::Refused(StatusCode::TOO_MANY_REQUESTS),
            K::NoSuchPrompt | K::NotLive => Self::NotFound,
            K::MalformedJson | K::UnsupportedMediaType => Self::Bad(FlagErrorCode::ParseError),
            K::Invalid => Self::Bad(invalid(error)),
            kind if web::describe(kind).0.is_server_error() => Self::Ours,
            _ => Self::Bad(FlagErrorCode::General),
        }
    }
}

/// What is wrong with input, by its place: the variables are what the context says beside its key.
fn invalid(error: &Error) -> FlagErrorCode {
    let place = error.problems().first().map_or("", |problem| problem.pointer.as_str());
    match place {
        TARGETING_KEY => FlagErrorCode::TargetingKeyMissing,
        place if place == CONTEXT || place.starts_with("/variables") => FlagErrorCode::InvalidContext,
        _ => FlagErrorCode::General,
    }
}

impl EvaluationFailure {
    pub(super) fn new(key: Option<&str>, error_code: FlagErrorCode, error: &Error) -> Self {
        Self { key: key.map(str::to_owned), error_code, error_details: error.detail().to_owned() }
    }
}

/// An error on its way out.
#[derive(Debug)]
pub struct Refusal {
    key: Option<String>,
    error: Error,
}

impl Refusal {
    /// Of one flag.
    pub(super) fn of(key: &str, error: Error) -> Self {
        Self { key: Some(key.to_owned()), error }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { key: None, error }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        problem.into_error().into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { key, error } = self;
        let failure = |code| Json(EvaluationFailure::new(key.as_deref(), code, &error));
        let mut response = match Verdict::of(&error) {
            Verdict::Refused(status) => status.into_response(),
            Verdict::NotFound => {
                (StatusCode::NOT_FOUND, failure(FlagErrorCode::FlagNotFound)).into_response()
            }
            Verdict::Bad(code) => (StatusCode::BAD_REQUEST, failure(code)).into_response(),
            Verdict::Ours => {
                let failure = GeneralFailure { error_details: error.detail().to_owned() };
                (StatusCode::INTERNAL_SERVER_ERROR, Json(failure)).into_response()
            }
        };
        let headers = response.headers_mut();
        match error.kind() {
            ErrorKind::Unauthenticated => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ErrorKind::TooManyRequests => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response.extensions_mut().insert(Noted::new(&error));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_error_has_a_status_of_the_protocol() {
        for kind in ErrorKind::ALL {
            let response = Refusal::of("greeter", Error::new(kind, "no")).into_response();
            let status = response.status().as_u16();
            assert!([400, 401, 403, 404, 429, 500].contains(&status), "{kind:?}: {status}");
            let ours = web::describe(kind).0.is_server_error();
            assert_eq!(status == 500, ours, "{kind:?}");
            let said = response.headers();
            assert_eq!(said.contains_key(header::RETRY_AFTER), status == 429, "{kind:?}");
            assert_eq!(
                said.contains_key(header::CONTENT_TYPE),
                ![401, 403, 429].contains(&status),
                "{kind:?}"
            );
        }
    }
}
