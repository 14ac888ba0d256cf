//! How answers look.

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::Error;
use serde::Serialize;
use store::{Made, Page};
use twox_hash::XxHash3_128;
use utoipa::ToSchema;

use crate::problem::Problem;

/// What was made, with its status: 201, or another one where the route says so.
pub struct Created<T> {
    status: StatusCode,
    replayed: bool,
    body: T,
}

impl<T> Created<T> {
    /// What was made, under the status that says so.
    pub fn new<M>(status: StatusCode, made: Made<M>, view: impl FnOnce(M) -> T) -> Self {
        Self { status, replayed: made.replayed, body: view(made.value) }
    }

    /// What was made just now, and is never told again, for it holds a secret.
    pub fn fresh<M>(value: M, view: impl FnOnce(M) -> T) -> Self {
        Self::new(StatusCode::CREATED, Made { value, replayed: false }, view)
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if self.replayed {
            response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}

/// The status of something made: what was made before says 200 where `unchanged`.
pub fn status_for(unchanged: bool) -> StatusCode {
    if unchanged { StatusCode::OK } else { StatusCode::CREATED }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listed<T: ToSchema> {
    /// The things.
    pub data: Vec<T>,
    /// For the next page; null at the end.
    pub next_cursor: Option<String>,
}

impl<T: ToSchema> Listed<T> {
    /// A page in the words of the API.
    pub fn new<M>(page: Page<M>, view: impl FnMut(M) -> T) -> Self {
        Self { data: page.data.into_iter().map(view).collect(), next_cursor: page.next_cursor }
    }
}

/// A body with a strong `ETag` over its bytes; 304 when the caller has it already.
pub struct Tagged {
    response: Response,
}

impl Tagged {
    /// The body, tagged by its own bytes.
    pub fn new<T: Serialize>(headers: &HeaderMap, body: &T) -> Result<Self, Problem> {
        let bytes = serde_json::to_vec(body).map_err(Error::internal)?;
        let tag = etag_of(&bytes);
        Ok(Self::with_tag(headers, &tag, bytes))
    }

    /// The body, tagged by something that stands for it.
    pub fn with_tag(headers: &HeaderMap, tag: &str, bytes: Vec<u8>) -> Self {
        let mut response = if matches_etag(headers, tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            ([(header::CONTENT_TYPE, "application/json")], bytes).into_response()
        };
        if let Ok(tag) = HeaderValue::from_str(tag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        Self { response }
    }
}

impl IntoResponse for Tagged {
    fn into_response(self) -> Response {
        self.response
    }
}

/// A strong tag over some bytes: 128 bits, of a hash that is fast rather than secret, for a caller who makes two
/// answers collide deceives nobody else.
pub fn etag_of(bytes: &[u8]) -> String {
    format!("\"{:032x}\"", XxHash3_128::oneshot(bytes))
}

/// Whether the caller's `If-None-Match` names the tag. The comparison is weak, as RFC 9110 wants it there.
pub fn matches_etag(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    given
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
