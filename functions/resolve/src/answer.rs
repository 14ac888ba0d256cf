//! What resolve answers.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use cache::Source;
use domain::{
    Error, ErrorKind, PromptId, Result, VersionId,
    content::{ChatMessage, FewShotExample},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::counts::Subject;

/// The most bytes of an answer.
pub(crate) const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A resolved prompt.
#[derive(Debug, Serialize, ToSchema)]
pub struct Resolved<'a> {
    /// The prompt.
    #[schema(value_type = String)]
    pub prompt_id: PromptId,
    /// Its present name.
    pub name: &'a str,
    /// The environment.
    pub environment: &'a str,
    /// The version that answered.
    #[schema(value_type = String)]
    pub version_id: VersionId,
    /// Its number.
    pub version_number: u32,
    /// The rendered template; null for a `messages` prompt; left out with `fields=messages`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_text: Option<Option<&'a str>>,
    /// The rendered system prompt.
    pub system_prompt: Option<&'a str>,
    /// The version's examples.
    #[schema(value_type = Vec<Object>)]
    pub few_shot_examples: &'a [FewShotExample],
    /// What to send to a chat model; left out with `fields=text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub messages: Option<&'a [ChatMessage]>,
    /// The model that the version was written for.
    pub model_id: &'a str,
    /// Sampling temperature.
    pub temperature: f64,
    /// The most tokens of an answer.
    pub max_tokens: u32,
    /// Further parameters of the model.
    #[schema(schema_with = web::schema::any_object)]
    pub params: &'a Map<String, Value>,
    /// The team's own settings.
    #[schema(schema_with = web::schema::any_object)]
    pub config: &'a Map<String, Value>,
    /// The experiment or canary that assigned this version; null when none runs, or the unit takes no part.
    pub experiment_id: Option<String>,
    /// Its arm.
    pub variant: Option<&'a str>,
    /// Whether the same caller gets the same arm again.
    pub sticky: bool,
    /// Variables that were sent and are not declared.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub ignored_variables: &'a [String],
    /// The ref's revision.
    pub revision: u64,
}

/// A resolved prompt as it is sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedAnswer<'a> {
    #[serde(flatten)]
    resolved: Resolved<'a>,
    /// Sent with metrics it says exactly what was answered; valid for 35 days.
    resolution_token: &'a str,
}

/// An answer without its token: what the `ETag` covers.
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    /// Whether the same question has the same answer again: not when its arm is drawn by lot.
    pub(crate) tagged: bool,
    pub(crate) token: String,
    pub(crate) revision: u64,
    pub(crate) age: Duration,
    pub(crate) source: Source,
    pub(crate) served: Subject,
}

impl Answer {
    /// The body with its token.
    pub(crate) fn with_token(mut self) -> Result<Vec<u8>> {
        // The body is a JSON object that has members: the token takes the place of its closing brace.
        self.body.pop();
        self.body.extend_from_slice(b",\"resolution_token\":\"");
        self.body.extend_from_slice(self.token.as_bytes());
        self.body.extend_from_slice(b"\"}");
        if self.body.len() <= MAX_ANSWER_BYTES {
            return Ok(self.body);
        }
        let detail = format!(
            "The answer would have {} bytes; at most {MAX_ANSWER_BYTES} can be sent. Ask for one of the renderings: \
             `fields=text` or `fields=messages`.",
            self.body.len()
        );
        Err(Error::new(ErrorKind::Invalid, detail))
    }

    /// The answer to a caller who may have it already.
    pub(crate) fn respond(self, asked: &HeaderMap) -> Result<Response> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.reserve(HEADERS);
        headers.insert(header::CACHE_CONTROL, CACHEABLE);
        headers.insert(header::VARY, BY_KEY);
        headers.insert(REVISION, self.revision.into());
        say_freshness(headers, self.age, self.source);
        if self.tagged {
            let tag = web::etag_of(&self.body);
            headers.insert(header::ETAG, HeaderValue::from_str(&tag).map_err(Error::internal)?);
            if web::matches_etag(asked, &tag) {
                headers.insert(TOKEN, HeaderValue::from_str(&self.token).map_err(Error::internal)?);
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                return Ok(response);
            }
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Body::from(self.with_token()?);
        Ok(response)
    }
}

/// Room for those here and for what the server adds.
const HEADERS: usize = 14;
const CACHEABLE: HeaderValue = HeaderValue::from_static("private, max-age=1, stale-if-error=86400");
const BY_KEY: HeaderValue = HeaderValue::from_static("Authorization, X-API-Key");
const REVISION: HeaderName = HeaderName::from_static("cuecard-revision");
pub(crate) const AGE: HeaderName = HeaderName::from_static("cuecard-age-ms");
pub(crate) const SOURCE: HeaderName = HeaderName::from_static("cuecard-source");
const TOKEN: HeaderName = HeaderName::from_static("cuecard-resolution-token");

/// Says how fresh an answer is, to the caller and to the metrics.
pub(crate) fn say_freshness(headers: &mut HeaderMap, age: Duration, source: Source) {
    headers.insert(AGE, u64::try_from(age.as_millis()).unwrap_or(u64::MAX).into());
    headers.insert(SOURCE, source_name(source));
}

/// What the header [`SOURCE`] may say.
pub(crate) const SOURCES: [&str; 4] = ["memory", "cache", "table", "stale"];

fn source_name(source: Source) -> HeaderValue {
    let [memory, cache, table, stale] = SOURCES;
    HeaderValue::from_static(match source {
        Source::Memory => memory,
        Source::Cache => cache,
        Source::Table => table,
        Source::Stale => stale,
    })
}
