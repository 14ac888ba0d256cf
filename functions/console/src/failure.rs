//! Errors on their way to a page.

use std::sync::Arc;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{Error, ErrorKind};

/// What a handler returns.
pub(crate) type Answer = Result<Response, Failure>;

/// What was looked for, or nothing where it is not there (any more).
pub(crate) fn if_there<T>(found: domain::Result<T>) -> domain::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// An error that no form can show beside its fields. [`crate::guard`] makes a page of it.
#[derive(Debug, Clone)]
pub(crate) struct Failure(pub(crate) Arc<Error>);

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Arc::new(error.into()))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Failure {
    pub(crate) fn status(&self) -> StatusCode {
        web::describe(self.0.kind()).0
    }
}
