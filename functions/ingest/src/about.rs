//! From what a caller sends to an event that counts.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Environment, SigningKeyId, Timestamp, VersionId,
    allocation::TrialId,
    metric::{Event, Placement, Reported, Subject, Values},
    model::ModelEntry,
    token::{Resolution, Signer, TokenError, kid_of},
};

use crate::{
    body::{Address, Arm, MetricEventBody},
    find::{Known, KnownTrial},
};

/// An event, and what it says that it is about.
pub(crate) struct About {
    pub(crate) version_id: VersionId,
    environment: Environment,
    placement: Option<Placement>,
    /// What is only said; a token's placement is proven.
    arm: Option<Arm>,
    event_id: Option<String>,
    said: Reported,
}

impl About {
    /// Takes a caller's word for a version, and a token's only if one of these keys signed it.
    pub(crate) fn of(
        body: MetricEventBody,
        signers: &BTreeMap<SigningKeyId, Arc<Signer>>,
        now: Timestamp,
    ) -> Result<Self, String> {
        let said = body.reported();
        let (version_id, environment, placement, arm) = match body.address()? {
            Address::Version(version_id, environment, arm) => (version_id, environment, None, arm),
            Address::Token(token) => {
                let signer = kid_of(&token).and_then(|kid| signers.get(&kid));
                let resolution =
                    signer.ok_or(TokenError::Invalid).and_then(|signer| signer.verify(&token, now));
                let resolution = resolution.map_err(|error| format!("`resolution_token`: {error}."))?;
                let placement = placement(&resolution);
                (resolution.version_id, resolution.environment, placement, None)
            }
        };
        Ok(Self { version_id, environment, placement, arm, event_id: body.event_id, said })
    }

    /// Whether its cost follows from its tokens.
    pub(crate) fn wants_price(&self) -> bool {
        let Reported { cost_usd, input_tokens, output_tokens, .. } = &self.said;
        cost_usd.is_none() && (input_tokens.is_some() || output_tokens.is_some())
    }

    /// The trial that assigned its version.
    pub(crate) fn trial(&self) -> Option<TrialId> {
        let proven = self.placement.as_ref().map(|placement| placement.trial);
        proven.or_else(|| self.arm.as_ref().map(|arm| arm.trial))
    }

    /// The event, once its version is found; `model` is what the version calls, where the catalogue has it, and
    /// `trial` what assigned it.
    pub(crate) fn event(
        self,
        index: usize,
        known: &Known,
        (model, trial): (Option<&ModelEntry>, Option<&KnownTrial>),
        now: Timestamp,
    ) -> Result<Event, String> {
        self.check_arm(trial)?;
        let values = self.said.check(now)?;
        let mut values = match model.filter(|_| self.wants_price()) {
            // Checked as a caller's own: no price makes a cost that cannot be counted.
            Some(model) => Reported { cost_usd: cost(&values, model), ..self.said }.check(now)?,
            None => values,
        };
        let slo_ms = trial.and_then(|trial| trial.slo_ms);
        values.slow = values.latency_ms.zip(slo_ms).map(|(took, slo)| took > millis(slo));
        let subject = Subject {
            prompt_id: known.prompt_id,
            version_id: self.version_id,
            environment: self.environment,
            placement: self.placement,
        };
        Ok(Event { index, event_id: self.event_id, subject, values })
    }

    /// Whoever names the wrong arm reports of something else than they believe.
    fn check_arm(&self, trial: Option<&KnownTrial>) -> Result<(), String> {
        let Some(Arm { trial: id, key }) = &self.arm else { return Ok(()) };
        let version = self.version_id;
        if trial.is_some_and(|trial| trial.serves(key, version)) {
            return Ok(());
        }
        Err(format!(
            "`variant`: {version} is not what an arm `{key}` of {id} serves. Send the resolution's token."
        ))
    }
}

/// The cost of tokens in USD. Those that the caller does not name cost nothing.
fn cost(values: &Values, model: &ModelEntry) -> Option<f64> {
    let tokens = |given: Option<i64>| given.and_then(|tokens| u64::try_from(tokens).ok()).unwrap_or_default();
    model.cost(tokens(values.input_tokens), tokens(values.output_tokens)).to_string().parse().ok()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn millis(whole: u64) -> f64 {
    whole as f64
}

/// The place in a trial, where one assigned the version.
fn placement(resolution: &Resolution) -> Option<Placement> {
    let assignment = resolution.assignment.clone()?;
    Some(Placement {
        trial: assignment.trial,
        iteration: assignment.iteration,
        allocation_version: assignment.allocation_version,
        arm: assignment.arm,
        unit64: u64::from_be_bytes(resolution.unit64),
        nonce: u64::from_be_bytes(resolution.nonce),
        issued_at: resolution.issued_at,
    })
}
