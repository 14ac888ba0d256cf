//! What callers send.

use domain::{
    Environment, Error, Result, Timestamp, VersionId,
    allocation::{MAX_KEY_BYTES, TrialId},
    content::Literal,
    metric::Reported,
    name::production,
};
use serde::Deserialize;
use utoipa::ToSchema;

/// The most events of a request.
const MAX_EVENTS: usize = 500;

/// The longest id of a caller's, in bytes.
const MAX_ID_BYTES: usize = 200;

/// The longest output, in bytes.
const MAX_OUTPUT_BYTES: usize = 64 * 1024;

/// Several events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsBody {
    /// The caller's id of the batch, up to 200 bytes: the same one counts once in a team.
    pub(crate) batch_id: Option<String>,
    /// Up to 500. Read one by one, so that a mistake in one spoils no other.
    #[schema(value_type = Vec<MetricEventBody>)]
    pub(crate) events: Vec<Literal>,
}

/// One model call, or later what became of it: then with the same token, and a second value of the same kind takes
/// the place of the first.
///
/// It names what it is about by `resolution_token`, or else by `version_id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricEventBody {
    /// The caller's id of the event, up to 200 bytes: the same one counts once in a team.
    pub(crate) event_id: Option<String>,
    /// What resolve answered.
    pub(crate) resolution_token: Option<String>,
    /// The version that answered.
    #[schema(value_type = Option<String>)]
    version_id: Option<VersionId>,
    /// Where it was live; default `production`.
    #[schema(value_type = Option<String>)]
    environment: Option<Environment>,
    /// The experiment or canary, where one assigned the version. The event then counts for the version alone: only a
    /// token proves which unit met the arm, and under which weights.
    #[schema(value_type = Option<String>)]
    experiment_id: Option<TrialId>,
    /// The arm, beside `experiment_id`.
    variant: Option<String>,
    /// How long the call took, in milliseconds.
    latency_ms: Option<f64>,
    /// What it cost. Left out beside tokens, it is computed from the prices of the version's own model; what
    /// overrides that model in an environment is not known here.
    cost_usd: Option<f64>,
    /// Tokens sent, a whole number.
    input_tokens: Option<f64>,
    /// Tokens received, a whole number.
    output_tokens: Option<f64>,
    /// Whether the user reached what they wanted.
    success: Option<bool>,
    /// Whether the call failed.
    error: Option<bool>,
    /// Whether the model refused.
    refusal: Option<bool>,
    /// 1, 2, 3, 4 or 5.
    user_rating: Option<f64>,
    /// 0 to 1.
    quality: Option<f64>,
    /// 0 to 1.
    eval_score: Option<f64>,
    /// The model's answer, up to 64 KiB. It is checked and not kept yet.
    output: Option<String>,
    /// When it happened, at most 35 days ago; left out, it is now.
    #[schema(value_type = Option<String>, format = DateTime)]
    timestamp: Option<Timestamp>,
}

/// What an event is about, before anybody looked for it.
#[derive(Debug)]
pub(crate) enum Address {
    /// What a token says.
    Token(String),
    /// What the caller says.
    Version(VersionId, Environment, Option<Arm>),
}

/// The arm of a trial that a caller says to have been served.
#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) trial: TrialId,
    pub(crate) key: String,
}

impl MetricsBody {
    /// Checks what is about the batch as a whole.
    pub(crate) fn check(&self) -> Result<()> {
        if self.events.len() > MAX_EVENTS {
            let detail =
                format!("A batch holds {MAX_EVENTS} events at most; this one has {}.", self.events.len());
            return Err(Error::invalid("/events", detail));
        }
        check_id("batch_id", self.batch_id.as_deref()).map_err(|detail| Error::invalid("/batch_id", detail))
    }
}

impl MetricEventBody {
    /// Reads an event; the error is a sentence.
    pub(crate) fn read(event: &Literal) -> Result<Self, String> {
        let read: Self =
            web::read_json(event.as_str().as_bytes()).map_err(|error| match error.problems() {
                [problem] if !problem.pointer.is_empty() => {
                    format!("`{}`: {}", problem.pointer, problem.detail)
                }
                _ => error.detail().to_owned(),
            })?;
        check_id("event_id", read.event_id.as_deref())?;
        let bytes = read.output.as_ref().map_or(0, String::len);
        if bytes > MAX_OUTPUT_BYTES {
            return Err(format!("`output` has {bytes} bytes: it has {MAX_OUTPUT_BYTES} at most."));
        }
        Ok(read)
    }

    /// What it is about.
    pub(crate) fn address(&self) -> Result<Address, String> {
        let environment = self.environment.clone();
        let arm = self.experiment_id.is_some() || self.variant.is_some();
        match (&self.resolution_token, self.version_id) {
            (Some(token), None) if environment.is_none() && !arm => Ok(Address::Token(token.clone())),
            (Some(_), _) => {
                Err("`resolution_token` says version, environment and arm: send none of these beside it."
                    .to_owned())
            }
            (None, Some(version)) => {
                Ok(Address::Version(version, environment.unwrap_or_else(production), self.arm()?))
            }
            (None, None) => Err("Say what it is about: `resolution_token`, or else `version_id`.".to_owned()),
        }
    }

    fn arm(&self) -> Result<Option<Arm>, String> {
        match (self.experiment_id, &self.variant) {
            (None, None) => Ok(None),
            (Some(trial), Some(key)) if (1..=MAX_KEY_BYTES).contains(&key.len()) => {
                Ok(Some(Arm { trial, key: key.clone() }))
            }
            _ => Err(format!(
                "`experiment_id` and `variant` come together; a variant has 1 to {MAX_KEY_BYTES} bytes."
            )),
        }
    }

    /// What it says.
    pub(crate) fn reported(&self) -> Reported {
        Reported {
            latency_ms: self.latency_ms,
            cost_usd: self.cost_usd,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            success: self.success,
            error: self.error,
            refusal: self.refusal,
            user_rating: self.user_rating,
            quality: self.quality,
            eval_score: self.eval_score,
            timestamp: self.timestamp,
        }
    }
}

fn check_id(name: &str, id: Option<&str>) -> Result<(), String> {
    if id.is_none_or(|id| (1..=MAX_ID_BYTES).contains(&id.len())) {
        return Ok(());
    }
    Err(format!("`{name}` has 1 to {MAX_ID_BYTES} bytes."))
}
