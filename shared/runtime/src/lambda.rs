//! The loops that feed functions on Lambda.

use std::convert::Infallible;

use axum::{
    Router,
    body::{Bytes, to_bytes},
    http::{self, StatusCode},
    response::Response,
};
use lambda_http::{Adapter, request::LambdaRequest};
use lambda_runtime::{LambdaEvent, service_fn};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};
use tower::ServiceExt;

use crate::{configuration::Variables, log::LevelFilter};

/// What a `main` ends with.
pub type Outcome = Result<(), lambda_runtime::Error>;

/// The environment, with logging begun.
pub fn begin() -> Variables {
    let mut variables = Variables::read();
    crate::log::begin(&mut variables, LevelFilter::INFO);
    variables
}

/// What stands for itself in a path (RFC 3986).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Serves HTTP events with a router: several at once where the environment sends several.
pub async fn serve_http(router: Router) -> Outcome {
    let whole = ServiceExt::<lambda_http::Request>::and_then(router, in_memory);
    lambda_runtime::run_concurrent(Adapter::from(whole).map_request(with_encoded_path)).await
}

/// A gateway takes an answer as a whole. Ours are made of what is in memory: to collect one does not fail.
async fn in_memory(answer: Response) -> Result<http::Response<lambda_http::Body>, Infallible> {
    let (mut head, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_else(|error| {
        tracing::error!(error = %error, "an answer broke off");
        head.status = StatusCode::INTERNAL_SERVER_ERROR;
        Bytes::new()
    });
    let body = match String::from_utf8(body.into()) {
        Ok(text) => lambda_http::Body::Text(text),
        Err(binary) => lambda_http::Body::Binary(binary.into_bytes()),
    };
    Ok(http::Response::from_parts(head, body))
}

/// API Gateway decodes the path. Put into a URL as it is, a name with `?`, `#` or `%` would be another one.
fn with_encoded_path(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event.payload
        && let Some(path) = &mut request.raw_path
    {
        *path = utf8_percent_encode(path, KEPT).to_string();
    }
    event
}

/// Serves events of a queue, a stream or a schedule.
pub async fn serve<E, R, F>(handle: impl Fn(E) -> F) -> Outcome
where
    E: DeserializeOwned,
    R: Serialize,
    F: Future<Output = Result<R, domain::Error>>,
{
    serve_with_id(|event, _| handle(event)).await
}

/// Serves direct invocations, each with the id of its request.
pub async fn serve_with_id<E, R, F>(handle: impl Fn(E, String) -> F) -> Outcome
where
    E: DeserializeOwned,
    R: Serialize,
    F: Future<Output = Result<R, domain::Error>>,
{
    let handle = &handle;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| async move {
        let id = event.context.request_id.clone();
        // Boxed: the future of a whole use case is too deep for the compiler to lay out within another.
        Box::pin(handle(event.payload, id.clone())).await.map_err(|error| {
            tracing::error!(request_id = %id, error = %error.chain(), "the invocation failed");
            lambda_runtime::Error::from(error.to_string())
        })
    }))
    .await
}
