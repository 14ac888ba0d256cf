//! The description of the API.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// The document of all functions together. A test makes it anew from their handlers and compares.
const DOCUMENT: &str = include_str!("../openapi.json");

/// Describes the API (OpenAPI 3.1).
#[utoipa::path(get, path = "/api/openapi.json", tag = "health", security(()),
    responses((status = 200, body = Object, description = "The description")))]
pub async fn read() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
