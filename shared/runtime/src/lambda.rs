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

/// Serves events of a queue, a stream, a schedule or a direct invocation.
pub async fn serve<E, R, F>(handle: impl Fn(E) -> F) -> Outcome
where
    E: DeserializeOwned,
    R: Serialize,
    F: Future<Output = Result<R, domain::Error>>,
{
    let handle = &handle;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| async move {
        handle(event.payload).await.map_err(|error| {
            tracing::error!(error = %error.chain(), "the invocation failed");
            lambda_runtime::Error::from(error.to_string())
        })
    }))
    .await
}
