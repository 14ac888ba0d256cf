//! Resolving several prompts in one request.

use std::pin::pin;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use domain::{Caller, Error, ErrorKind, content::Literal};
use serde::Deserialize;
use utoipa::ToSchema;
use web::{JsonBody, Resolver};

use crate::{App, answer::MAX_ANSWER_BYTES, ask::AskBody, counts::Subject, one::render};

/// The most prompts of one request.
const MAX_REQUESTS: usize = 50;

/// More bytes than the refusal of an answer that does not fit takes, with what stands around it.
const REFUSAL_BYTES: usize = 512;

/// Several questions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    /// Each as the body of `POST /api/resolve`; read one by one, so that a mistake in one spoils no other.
    #[schema(value_type = Vec<AskBody>)]
    pub requests: Vec<Literal>,
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
    let (body, served) = app.counts.beside(pin!(answers(&app, &caller, &asked.requests))).await?;
    for served in &served {
        app.counts.count(served);
    }
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// The answers to all of a batch, and what they count for.
async fn answers(app: &App, caller: &Caller, asked: &[Literal]) -> domain::Result<(Vec<u8>, Vec<Subject>)> {
    let (mut body, mut served) = (b"{\"responses\":[".to_vec(), Vec::new());
    let mut full = false;
    for (at, ask) in asked.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        // What comes later must still find room for its refusal.
        let left = asked.len() - at;
        let room = MAX_ANSWER_BYTES.saturating_sub(body.len() + left * REFUSAL_BYTES);
        let entry = if full { None } else { Some(entry(app, caller, ask).await?) };
        let fitting = entry.filter(|entry| entry.body.len() <= room);
        full = fitting.is_none();
        let entry = fitting.map_or_else(|| refusal(&no_room()), Ok)?;
        body.extend_from_slice(format!("{{\"status\":{},\"body\":", entry.status).as_bytes());
        body.extend_from_slice(&entry.body);
        body.push(b'}');
        served.extend(entry.served);
    }
    body.extend_from_slice(b"]}");
    Ok((body, served))
}

/// What a request alone would have been answered with.
struct Entry {
    status: u16,
    body: Vec<u8>,
    /// What it counts for, unless it is a refusal.
    served: Option<Subject>,
}

async fn entry(app: &App, caller: &Caller, ask: &Literal) -> domain::Result<Entry> {
    let ask = web::read_json(ask.as_str().as_bytes()).and_then(|ask: AskBody| ask.ask(None));
    let resolved = match ask {
        Ok(ask) => app.resolve(caller, ask, None, render).await,
        Err(error) => Err(error),
    };
    let resolved = resolved.and_then(|answer| Ok((answer.served.clone(), answer.with_token()?)));
    let answered = |(served, body)| Ok(Entry { status: 200, body, served: Some(served) });
    resolved.map_or_else(|error| refusal(&error), answered)
}

fn refusal(error: &Error) -> domain::Result<Entry> {
    let (status, document) = web::document_of(error);
    let body = serde_json::to_vec(&document).map_err(Error::internal)?;
    Ok(Entry { status: status.as_u16(), body, served: None })
}

fn no_room() -> Error {
    let detail = "The answers before this one fill the 4 MiB of a batch. Ask for it alone.";
    Error::new(ErrorKind::TooLarge, detail)
}
