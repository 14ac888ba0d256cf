//! Direct invocation of functions, as AWS's own API has it: for `rollback`, which stands behind no HTTP route.
//!
//! `aws lambda invoke --endpoint-url http://127.0.0.1:7070 --function-name rollback --payload … answer.json`

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header::AUTHORIZATION},
    routing::post,
};
use domain::{Error, ErrorKind, RequestId};
use serde_json::Value;

/// The route of the invocation.
pub(crate) fn routes(app: rollback::App) -> Router {
    Router::new().route("/2015-03-31/functions/rollback/invocations", post(invoke)).with_state(app)
}

async fn invoke(
    State(app): State<rollback::App>,
    headers: HeaderMap,
    event: Bytes,
) -> web::Result<Json<Value>> {
    // On AWS, IAM decides who may invoke. Here the signature is not verified: whoever reaches 127.0.0.1 may. Asking
    // for one keeps out web pages, which cannot send this header to another origin.
    let signed =
        headers.get(AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"AWS4-HMAC-SHA256 "));
    if !signed {
        let detail = "Sign the call as the AWS CLI does; any credentials will do here.";
        return Err(Error::new(ErrorKind::Unauthenticated, detail).into());
    }
    let event = serde_json::from_slice(&event).map_err(|error| Error::invalid("", error.to_string()))?;
    let request_id: RequestId = app.release.registry.sources.id();
    Ok(Json(rollback::handle(event, &request_id.to_string(), &app).await))
}
