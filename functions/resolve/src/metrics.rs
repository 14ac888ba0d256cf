//! What each request adds to the metrics.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use domain::Sources;
use runtime::metrics::{Meter, Sample};

use crate::answer::{AGE, SOURCE, SOURCES};

/// What counts, and by which clock.
#[derive(Clone)]
pub(crate) struct Metering {
    pub(crate) meter: Arc<Meter>,
    pub(crate) sources: Sources,
}

pub(crate) async fn count(State(metering): State<Metering>, request: Request, next: Next) -> Response {
    let Metering { meter, sources } = metering;
    let began = sources.clock.monotonic();
    let response = next.run(request).await;
    let took = sources.clock.monotonic().saturating_sub(began);
    let headers = response.headers();
    meter.count(Sample {
        source: source(headers),
        latency_ms: took.as_secs_f64() * 1000.0,
        age_ms: headers.get(AGE).and_then(|age| age.to_str().ok()?.parse().ok()),
        failed: response.status().is_server_error(),
    });
    response
}

fn source(headers: &HeaderMap) -> &'static str {
    let said = headers.get(SOURCE).and_then(|source| source.to_str().ok());
    SOURCES.into_iter().find(|source| said == Some(source)).unwrap_or("none")
}
