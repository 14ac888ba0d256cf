//! Resolving several prompts in one request.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use domain::{Caller, Error, ErrorKind};
use serde::Deserialize;
use utoipa::ToSchema;
use web::{JsonBody, Resolver};

use crate::{App, answer::MAX_ANSWER_BYTES, ask::AskBody};

/// The most prompts of one request.
const MAX_REQUESTS: usize = 50;

/// Several questions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    /// Each as the body of `POST /api/resolve`.
    pub requests: Vec<AskBody>,
}

/// One answer among several.
#[derive(Debug, ToSchema, serde::Serialize)]
pub struct BatchEntry {
    /// What this request alone would have answered.
    pub status: u16,
    /// The resolved prompt, or the problem.
    #[schema(schema_with = web::schema::any_object)]
    pub body: serde_json::Value,
}

/// Several answers, in the order of the questions.
#[derive(Debug, ToSchema, serde::Serialize)]
pub struct BatchAnswer {
    /// The answers.
    pub responses: Vec<BatchEntry>,
}

/// Resolves up to 50 prompts. Each has a status of its own.
#[utoipa::path(post, path = "/api/resolve:batch", tag = "resolve", request_body = BatchBody,
    responses((status = 200, body = BatchAnswer, description = "An answer for each")))]
pub async fn batch(
    State(app): State<App>,
    Resolver(caller): Resolver,
    JsonBody(asked): JsonBody<BatchBody>,
) -> web::Result<Response> {
    if asked.requests.is_empty() || asked.requests.len() > MAX_REQUESTS {
        let detail =
            format!("A batch holds 1 to {MAX_REQUESTS} requests; this one has {}.", asked.requests.len());
        return Err(Error::invalid("/requests", detail).into());
    }
    let mut body = b"{\"responses\":[".to_vec();
    for (at, ask) in asked.requests.into_iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        push_entry(&app, &caller, ask, &mut body).await?;
    }
    body.extend_from_slice(b"]}");
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

async fn push_entry(app: &App, caller: &Caller, ask: AskBody, body: &mut Vec<u8>) -> web::Result<()> {
    let resolved = match ask.ask(None) {
        Ok(ask) => app.resolve(caller, ask).await.and_then(crate::answer::Answer::with_token),
        Err(error) => Err(error),
    };
    let resolved = resolved.and_then(|entry| {
        if body.len() + entry.len() <= MAX_ANSWER_BYTES {
            return Ok(entry);
        }
        Err(Error::new(
            ErrorKind::TooLarge,
            "The answers before this one fill the 4 MiB of a batch. Ask for it alone.",
        ))
    });
    let (status, entry) = match resolved {
        Ok(entry) => (200, entry),
        Err(error) => {
            let (status, document) = web::document_of(&error);
            (status.as_u16(), serde_json::to_vec(&document).map_err(Error::internal)?)
        }
    };
    body.extend_from_slice(format!("{{\"status\":{status},\"body\":").as_bytes());
    body.extend_from_slice(&entry);
    body.push(b'}');
    Ok(())
}
