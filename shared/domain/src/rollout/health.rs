//! Whether a canary does harm, as far as its counters can tell.

use super::{
    guardrail::{ALPHA, Guardrail, Limit},
    observed::{Compared, Mean, Observed, Units},
    process::Process,
};
use crate::{
    Error, Result,
    experiment::{
        estimate::{Contrast, Estimate, Noise},
        evidence,
    },
    measure::Measure,
};

/// A canary that fails for a larger share of its units is stopped, however sure that is.
const HARD_STOP: f64 = 0.20;

/// Shares of fewer units say nothing.
const LEAST_UNITS: u64 = 20;

/// A control that fails for a larger share has trouble of its own, so that the canary may not be to blame.
const TROUBLE: f64 = 0.05;

/// How sentences name what is compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a> {
    /// What may do harm.
    pub canary: &'a str,
    /// What it is compared with.
    pub control: &'a str,
    /// While which units were counted.
    pub meanwhile: &'a str,
}

impl Words<'static> {
    /// Those of a canary.
    pub(super) const OF_VERSIONS: Self =
        Self { canary: "the new version", control: "the former one", meanwhile: "in this stage" };
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// The guardrails that are breached, each in a sentence.
    pub breaches: Vec<String>,
    /// Whether a guardrail is breached while the control fails as well: then the cause is elsewhere, and nothing is
    /// rolled back.
    pub outage: bool,
    /// Why nothing larger should be dared, where no guardrail is breached.
    pub doubt: Option<String>,
}

impl Health {
    /// Of a canary, or of an arm beside the control's. `processes` are those of the binary guardrails, in their
    /// order, with these counts taken in.
    pub(crate) fn of(
        guardrails: &[Guardrail],
        processes: &[Process],
        observed: &Observed,
        words: Words<'_>,
    ) -> Result<Self> {
        let mut health = Self::default();
        let mut processes = processes.iter();
        for guardrail in guardrails {
            let breach = match guardrail.limit() {
                Limit::Ratio { measure, .. } => {
                    processes.next().and_then(|process| more_often(measure, process, observed, words))
                }
                Limit::Margin { measure, margin, least } => match observed.means.get(&measure) {
                    Some(mean) => worse_mean(measure, mean, (margin, least), words)?,
                    None => None,
                },
            };
            health.breaches.extend(breach);
        }
        if let Some(errors) = observed.failures.get(&Measure::Error) {
            health.look_at(errors, words);
        }
        Ok(health)
    }

    /// The hard stop (statistics.md §5.4).
    fn look_at(&mut self, errors: &Compared, words: Words<'_>) {
        let control_fails = fails(&errors.control);
        if fails(&errors.canary) {
            let told = format!("errors met {}", in_words(errors, words));
            if control_fails || errors.control.failing() < TROUBLE {
                self.breaches.push(format!("{told}; above 20 % it is stopped at once"));
            } else {
                let control = words.control;
                self.doubt =
                    Some(format!("{told}; that is too many of {control}'s to tell whose fault it is"));
            }
        }
        self.outage = control_fails && !self.breaches.is_empty();
    }
}

fn fails(units: &Units) -> bool {
    units.served >= LEAST_UNITS && units.failing() > HARD_STOP
}

fn more_often(measure: Measure, process: &Process, observed: &Observed, words: Words<'_>) -> Option<String> {
    let ln_e = process.ln_e();
    let told = observed.failures.get(&measure).map(|units| in_words(units, words)).unwrap_or_default();
    let (happens, meanwhile) = (what_happens(measure), words.meanwhile);
    enough(ln_e).then(|| format!("{happens} met {told} {meanwhile}; {}", in_evidence(ln_e)))
}

fn worse_mean(
    measure: Measure,
    mean: &Mean,
    (margin, least): (f64, f64),
    words: Words<'_>,
) -> Result<Option<String>> {
    let noise = Noise::of(measure, mean.design_effect);
    let estimate = Estimate::of(2, &mean.strata, noise, |_| 1.0).map_err(Error::internal)?;
    if estimate.samples[1] < least {
        return Ok(None);
    }
    // More is better, so the harm is how far the control is above the canary.
    let Contrast { delta, variance } = estimate.contrast(0, 1);
    let beyond = Contrast { delta: delta - margin, variance };
    let ln_e = evidence::ln_e(beyond, evidence::CANARY_TAU * estimate.sigma());
    Ok(enough(ln_e).then(|| format!("{}; {}", how_much_worse(measure, delta, words), in_evidence(ln_e))))
}

fn enough(ln_e: f64) -> bool {
    ln_e >= -libm::log(ALPHA)
}

fn what_happens(measure: Measure) -> &'static str {
    match measure {
        Measure::Refusal => "refusals",
        Measure::LatencySlo => "answers that took too long",
        _ => "errors",
    }
}

fn how_much_worse(measure: Measure, harm: f64, Words { canary, .. }: Words<'_>) -> String {
    let percent = 100.0 * libm::expm1(harm);
    match measure {
        Measure::LatencyMs => format!("{canary} takes {percent:.0} % longer"),
        Measure::CostUsd => format!("{canary} costs {percent:.0} % more"),
        Measure::UserRating => format!("users rate {canary} {harm:.2} points lower"),
        _ => format!("{canary} scores {harm:.3} lower"),
    }
}

fn in_words(Compared { canary, control }: &Compared, words: Words<'_>) -> String {
    format!(
        "{} of {} users of {} and {} of {} of {}",
        canary.failed, canary.served, words.canary, control.failed, control.served, words.control
    )
}

fn in_evidence(ln_e: f64) -> String {
    format!("the evidence is {:.0}, and 100 is enough", evidence::e_value(ln_e).min(1e9))
}
