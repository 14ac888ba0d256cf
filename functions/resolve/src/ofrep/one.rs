//! Evaluating one flag, as OpenFeature's providers for servers do.

use std::pin::pin;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::Caller;
use web::{JsonBody, Path, Resolver};

use super::{
    context::{Evaluation, EvaluationBody},
    flag::{self, Evaluated, EvaluatedFlag, Tokenless},
    refusal::{EvaluationFailure, GeneralFailure, Refusal},
};
use crate::{App, answer::say_freshness};

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Evaluates a prompt as a flag, in the words of OFREP 0.3.
#[utoipa::path(post, path = "/ofrep/v1/evaluate/flags/{*key}", tag = "ofrep", request_body = EvaluationBody,
    params(("key" = String, Path, description = "The prompt's name, with slashes or without, or its id."),
        ("Cuecard-Environment" = Option<String>, Header, description = "The environment; `production` without it.")),
    responses((status = 200, body = EvaluatedFlag, description = "The flag"),
        (status = 400, body = EvaluationFailure, description = "It cannot be evaluated so"),
        (status = 401, description = "No valid key"), (status = 403, description = "The key's role does not reach"),
        (status = 404, body = EvaluationFailure, description = "No such prompt is live there"),
        (status = 429, description = "Too many requests"),
        (status = 500, body = GeneralFailure, description = "An error on our side, or of what we depend on")))]
pub async fn evaluate(
    State(app): State<App>,
    caller: web::Result<Resolver>,
    path: web::Result<Path<String>>,
    headers: HeaderMap,
    body: web::Result<JsonBody<EvaluationBody>>,
) -> Result<Response, Refusal> {
    let Resolver(caller) = caller?;
    let Path(key, _) = path?;
    let evaluation = body.map_err(web::Problem::into_error);
    let evaluation = evaluation.and_then(|JsonBody(body)| Evaluation::read(&headers, body));
    let answered = match evaluation {
        Ok(evaluation) => answer(&app, &caller, &evaluation, &key).await,
        Err(error) => Err(error),
    };
    answered.map_err(|error| Refusal::of(&key, error))
}

async fn answer(app: &App, caller: &Caller, evaluation: &Evaluation, key: &str) -> domain::Result<Response> {
    let work = flag::evaluate(app, caller, evaluation.of(key.to_owned()), key);
    let answer = match app.counts.beside(pin!(work)).await? {
        Evaluated::Served(answer) => answer,
        Evaluated::Disabled(body) => return Ok(([(header::CONTENT_TYPE, JSON)], body).into_response()),
    };
    let mut whole = Tokenless::default();
    whole.push(&answer.body, answer.token);
    let mut response = ([(header::CONTENT_TYPE, JSON)], whole.with_tokens()?).into_response();
    say_freshness(response.headers_mut(), answer.age, answer.source);
    app.counts.count(&answer.served);
    Ok(response)
}
