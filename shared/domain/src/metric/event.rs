//! One event: what a caller says of one model call, or later of what became of it.

use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    Environment, PromptId, Timestamp, VersionId, allocation::TrialId, measure::Measure, money::Usd,
    token::VALIDITY,
};

/// How far a caller's clock may be ahead of ours.
const AHEAD: Duration = Duration::from_mins(5);

/// How old an event may be: as old as the tokens that it may be about.
const OLDEST: Duration = VALIDITY;

/// The longest latency that is believed: a day, in milliseconds.
const MAX_LATENCY_MS: f64 = 86_400_000.0;
/// The dearest call that is believed, in USD: sums of an hour then stay far within 64 bits of nano-dollars.
const MAX_COST_USD: f64 = 10_000.0;
/// The most tokens of one call that are believed.
const MAX_TOKENS: f64 = 1e9;

/// What an event says, as it arrived: nothing of it is checked yet.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reported {
    /// How long the call took, in milliseconds.
    pub latency_ms: Option<f64>,
    /// What it cost, in USD.
    pub cost_usd: Option<f64>,
    /// Tokens sent.
    pub input_tokens: Option<f64>,
    /// Tokens received.
    pub output_tokens: Option<f64>,
    /// Whether the user reached what they wanted.
    pub success: Option<bool>,
    /// Whether the call failed.
    pub error: Option<bool>,
    /// Whether the model refused.
    pub refusal: Option<bool>,
    /// What the user thinks of the answer: 1, 2, 3, 4 or 5.
    pub user_rating: Option<f64>,
    /// How good the answer was, from 0 to 1.
    pub quality: Option<f64>,
    /// What a judge gave it, from 0 to 1.
    pub eval_score: Option<f64>,
    /// When it happened; left out, it is when it arrived.
    pub timestamp: Option<Timestamp>,
}

/// What an event says: checked, and as exact as it is counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    /// Milliseconds.
    pub latency_ms: Option<f64>,
    /// Cost.
    pub cost: Option<Usd>,
    /// Tokens sent.
    pub input_tokens: Option<i64>,
    /// Tokens received.
    pub output_tokens: Option<i64>,
    /// Whether the user reached what they wanted.
    pub success: Option<bool>,
    /// Whether the call failed.
    pub error: Option<bool>,
    /// Whether the model refused.
    pub refusal: Option<bool>,
    /// Whether it took longer than its trial wants. Callers do not say it: who knows the trial does.
    pub slow: Option<bool>,
    /// 1 to 5.
    pub user_rating: Option<u8>,
    /// 0 to 1.
    pub quality: Option<f64>,
    /// 0 to 1.
    pub eval_score: Option<f64>,
    /// When it happened, where the caller said it.
    pub at: Option<Timestamp>,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The version that answered.
    pub version_id: VersionId,
    /// Where it was live.
    pub environment: Environment,
    /// The place in a trial, where one assigned the version.
    pub placement: Option<Placement>,
}

/// A place in a trial, as a resolution token proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The trial.
    pub trial: TrialId,
    /// Which of its runs.
    pub iteration: u32,
    /// The weights that were in force.
    pub allocation_version: u64,
    /// The arm's key.
    pub arm: String,
    /// The unit that was assigned: the token's eight bytes as a number.
    pub unit64: u64,
    /// The resolve: the token's eight bytes as a number.
    pub nonce: u64,
    /// When it resolved.
    pub issued_at: Timestamp,
}

/// An event that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place in the request, counted from zero, also over events that were rejected.
    pub index: usize,
    /// The caller's id of it: the same id counts once in a team.
    pub event_id: Option<String>,
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub values: Values,
}

impl Reported {
    /// Checks each value by itself; the error says all that is wrong.
    pub fn check(&self, now: Timestamp) -> Result<Values, String> {
        let share = 0.0..=1.0;
        let mut wrong = Wrong::default();
        wrong.range("latency_ms", self.latency_ms, 0.0..=MAX_LATENCY_MS, "milliseconds");
        wrong.range("cost_usd", self.cost_usd, 0.0..=MAX_COST_USD, "US dollars");
        wrong.range("quality", self.quality, share.clone(), "a share");
        wrong.range("eval_score", self.eval_score, share, "a share");
        let input_tokens = wrong.whole("input_tokens", self.input_tokens, 0.0..=MAX_TOKENS);
        let output_tokens = wrong.whole("output_tokens", self.output_tokens, 0.0..=MAX_TOKENS);
        let user_rating = wrong.whole("user_rating", self.user_rating, 1.0..=5.0);
        wrong.moment(self.timestamp, now);
        let cost = self.cost_usd.filter(|_| wrong.0.is_empty()).map(|dollars| dollars.to_string().parse());
        let cost = cost.transpose()?;
        if !wrong.0.is_empty() {
            return Err(wrong.0.join(" "));
        }
        Ok(Values {
            latency_ms: self.latency_ms,
            cost,
            input_tokens,
            output_tokens,
            success: self.success,
            error: self.error,
            refusal: self.refusal,
            slow: None,
            user_rating: user_rating.and_then(|rating| u8::try_from(rating).ok()),
            quality: self.quality,
            eval_score: self.eval_score,
            at: self.timestamp,
        })
    }
}

impl Values {
    /// Whether it tells of a call. What only says how users or judges took an answer is of a call told
    /// before.
    pub fn is_call(&self) -> bool {
        let feedback = self.success.is_some()
            || self.user_rating.is_some()
            || self.quality.is_some()
            || self.eval_score.is_some();
        let call = self.latency_ms.is_some()
            || self.cost.is_some()
            || self.input_tokens.is_some()
            || self.output_tokens.is_some()
            || self.error.is_some()
            || self.refusal.is_some();
        call || !feedback
    }

    /// What it says of each measure, in the measure's own unit; 0 and 1 stand for no and yes.
    pub fn measured(&self) -> Vec<(Measure, f64)> {
        let yes = |said: Option<bool>| said.map(|yes| f64::from(u8::from(yes)));
        let all = [
            (Measure::UserRating, self.user_rating.map(f64::from)),
            (Measure::Quality, self.quality),
            (Measure::Success, yes(self.success)),
            (Measure::EvalScore, self.eval_score),
            (Measure::LatencyMs, self.latency_ms),
            (Measure::CostUsd, self.cost.map(dollars)),
            (Measure::Error, yes(self.error)),
            (Measure::Refusal, yes(self.refusal)),
            (Measure::LatencySlo, yes(self.slow)),
        ];
        all.into_iter().filter_map(|(measure, value)| Some((measure, value?))).collect()
    }
}

/// An amount as a number of dollars.
#[expect(clippy::cast_precision_loss, reason = "10,000 USD are below 2^53 nano-dollars")]
pub(super) fn dollars(amount: Usd) -> f64 {
    amount.as_nanos() as f64 / 1e9
}

/// What is wrong with an event, a sentence for each value.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    /// NaN is in no range.
    fn range(&mut self, name: &str, value: Option<f64>, range: RangeInclusive<f64>, unit: &str) {
        if let Some(value) = value.filter(|value| !range.contains(value)) {
            let (least, most) = range.into_inner();
            self.0.push(format!("`{name}` is {value}: it is {unit} from {least} to {most}."));
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in its range")]
    fn whole(&mut self, name: &str, value: Option<f64>, range: RangeInclusive<f64>) -> Option<i64> {
        let value = value?;
        if range.contains(&value) && value.fract() == 0.0 {
            return Some(value as i64);
        }
        let (least, most) = range.into_inner();
        self.0.push(format!("`{name}` is {value}: it is a whole number from {least} to {most}."));
        None
    }

    fn moment(&mut self, at: Option<Timestamp>, now: Timestamp) {
        let Some(at) = at else { return };
        if at > now.plus(AHEAD) {
            self.0.push(format!("`timestamp` is {at}, over 5 minutes ahead: set the caller's clock."));
        } else if at < now.minus(OLDEST) {
            self.0.push(format!("`timestamp` is {at}: what is over 35 days old is not counted any more."));
        }
    }
}

#[cfg(test)]
mod tests;
