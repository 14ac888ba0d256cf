//! Evaluating all flags at once, as OpenFeature's providers for pages and phones do: they ask again every now and then,
//! and read from memory meanwhile.

use std::{pin::pin, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use cache::{Live, Pair, Source};
use domain::{Caller, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{
        Ref,
        schema::{Array, OneOfBuilder},
    },
};
use web::{JsonBody, Resolver, Tagged};

use super::{
    context::{Evaluation, EvaluationBody},
    flag::{self, Evaluated, Tokenless, too_large},
    refusal::{EvaluationFailure, GeneralFailure, Refusal, Verdict},
};
use crate::{
    App,
    answer::{MAX_ANSWER_BYTES, say_freshness},
    counts::Subject,
};

/// How many refs are read at once.
const READS: usize = 16;

/// All flags, in the order in which their prompts were made.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluatedFlags {
    /// Each is a flag, or why it cannot be evaluated for this context.
    #[schema(schema_with = flags_schema)]
    pub flags: Vec<Value>,
    /// Nothing so far.
    #[schema(schema_with = web::schema::any_object)]
    pub metadata: Value,
}

fn flags_schema() -> Array {
    let one_of = OneOfBuilder::new()
        .item(Ref::from_schema_name("EvaluatedFlag"))
        .item(Ref::from_schema_name("EvaluationFailure"));
    Array::new(one_of)
}

/// Evaluates all prompts that the key may read and that are live in the environment, in the words of OFREP 0.3.
#[utoipa::path(post, path = "/ofrep/v1/evaluate/flags", tag = "ofrep", request_body = EvaluationBody,
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of what the caller has for this context."),
        ("Cuecard-Environment" = Option<String>, Header, description = "The environment; `production` without it.")),
    responses((status = 200, body = EvaluatedFlags, description = "The flags"), (status = 304, description = "Unchanged"),
        (status = 400, body = EvaluationFailure, description = "They cannot be evaluated so"),
        (status = 401, description = "No valid key"), (status = 403, description = "The key's role does not reach"),
        (status = 429, description = "Too many requests"),
        (status = 500, body = GeneralFailure, description = "An error on our side, or of what we depend on")))]
pub async fn evaluate_all(
    State(app): State<App>,
    caller: web::Result<Resolver>,
    headers: HeaderMap,
    body: web::Result<JsonBody<EvaluationBody>>,
) -> Result<Response, Refusal> {
    let Resolver(caller) = caller?;
    let JsonBody(body) = body?;
    let evaluation = Evaluation::read(&headers, body)?;
    let flags = app.counts.beside(pin!(flags(&app, &caller, &evaluation))).await?;
    flags.served.iter().for_each(|served| app.counts.count(served));
    Ok(flags.respond(&headers)?)
}

/// Flags as they were evaluated.
#[derive(Default)]
struct Flags {
    said: Tokenless,
    served: Vec<Subject>,
    /// The greatest of their ages.
    age: Duration,
    /// The farthest of what they came from; `None` where nothing serves.
    source: Option<Source>,
}

impl Flags {
    fn add(&mut self, evaluated: Evaluated) {
        match evaluated {
            Evaluated::Served(answer) => {
                self.said.push(&answer.body, answer.token);
                self.served.push(answer.served);
                self.age = self.age.max(answer.age);
                self.source = self.source.max(Some(answer.source));
            }
            Evaluated::Disabled(body) => self.said.body.extend_from_slice(&body),
        }
    }

    /// The answer to a caller who may have it already.
    fn respond(self, asked: &HeaderMap) -> Result<Response> {
        let tag = web::etag_of(&self.said.body);
        let body = if web::matches_etag(asked, &tag) { Vec::new() } else { self.said.with_tokens()? };
        let mut response = Tagged::with_tag(asked, &tag, body).into_response();
        if let Some(source) = self.source {
            say_freshness(response.headers_mut(), self.age, source);
        }
        Ok(response)
    }
}

async fn flags(app: &App, caller: &Caller, evaluation: &Evaluation) -> Result<Flags> {
    let mut flags = Flags::default();
    flags.said.body.extend_from_slice(b"{\"flags\":[");
    let before = flags.said.body.len();
    for live in live(app, caller, evaluation).await? {
        let at = flags.said.body.len();
        if at > before {
            flags.said.body.push(b',');
        }
        let reference = &live.reference;
        let key = key_of(caller, reference);
        let ask = evaluation.of(reference.prompt_id.to_string());
        match flag::evaluate(app, caller, ask, &key).await {
            Ok(evaluated) => flags.add(evaluated),
            Err(error) => match Verdict::of(&error) {
                Verdict::Bad(code) => {
                    let failure = EvaluationFailure::new(Some(&key), code, &error);
                    serde_json::to_writer(&mut flags.said.body, &failure).map_err(domain::Error::internal)?;
                }
                // Nobody sees it any more since it was listed.
                Verdict::NotFound => flags.said.body.truncate(at),
                _ => return Err(error),
            },
        }
        if flags.said.body.len() > MAX_ANSWER_BYTES {
            return Err(too_large());
        }
    }
    flags.said.body.extend_from_slice(b"],\"metadata\":{}}");
    Ok(flags)
}

/// What is live of all that the caller may read, each read beside others.
async fn live(app: &App, caller: &Caller, evaluation: &Evaluation) -> Result<Vec<Arc<Live>>> {
    let listed = app.cache.prompts_of(caller).await?;
    let listed: Vec<_> = listed.iter().copied().collect();
    let reads = stream::iter(listed).map(|prompt| async move {
        let found = app.cache.pair(prompt, &evaluation.environment).await?;
        Ok::<_, domain::Error>(match found.value {
            Pair::Live(live) => Some(live),
            Pair::NotLive { .. } => None,
        })
    });
    let found: Vec<_> = reads.buffered(READS).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// How the caller asks for this prompt alone: who sees all teams says which.
fn key_of(caller: &Caller, reference: &domain::Ref) -> String {
    if caller.sees_all() {
        format!("{}/{}", reference.team_id, reference.prompt_name)
    } else {
        reference.prompt_name.to_string()
    }
}
