//! What each request adds to the metrics.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use runtime::metrics::{Meter, Outcome};

use crate::answer::{AGE, SOURCE, SOURCES};

pub(crate) async fn count(State(meter): State<Arc<Meter>>, request: Request, next: Next) -> Response {
    let arrival = meter.arrival();
    let response = next.run(request).await;
    let headers = response.headers();
    let outcome = Outcome {
        source: source(headers),
        age_ms: headers.get(AGE).and_then(|age| age.to_str().ok()?.parse().ok()),
        failed: response.status().is_server_error(),
    };
    meter.count(arrival, outcome);
    response
}

fn source(headers: &HeaderMap) -> &'static str {
    let said = headers.get(SOURCE).and_then(|source| source.to_str().ok());
    SOURCES.into_iter().find(|source| said == Some(source)).unwrap_or("none")
}
