//! The loops that feed functions on Lambda.

use axum::Router;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};

use crate::configuration::Variables;

/// What a `main` ends with.
pub type Outcome = Result<(), lambda_runtime::Error>;

/// The environment, with logging begun.
pub fn begin() -> Variables {
    let mut variables = Variables::read();
    crate::log::begin(&mut variables, "info");
    variables
}

/// Serves HTTP events with a router.
pub async fn serve_http(router: Router) -> Outcome {
    lambda_http::run(router).await
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
