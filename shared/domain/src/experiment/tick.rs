//! What becomes of an experiment this minute.

use std::time::Duration;

use super::{
    Ended, Experiment, Feedback, Flag, Observed, Status, Verdict,
    balance::{Exposed, feedback_bias, sample_ratio},
    decision::{Decision, Flags, Outcome, Progress, decide},
    estimate::{Estimate, Noise, PerArm, Standing, fade},
    weights::{fixed, is_due},
};
use crate::{
    Error, Result, Timestamp,
    rollout::{Health, Words, take_in},
};

/// How often the streak of the leading arm is looked at (statistics.md §4: hourly ticks).
const LOOK: Duration = Duration::from_hours(1);

/// After how long without any exposure people are told.
const SILENCE: Duration = Duration::from_hours(24);

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    Hold,
    /// Serve by the weights that the experiment has now.
    Allocate,
    /// End it; this arm won, if any did.
    End(Option<usize>),
}

/// An experiment after a look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// The experiment as it is from now on; as it was, where there is nothing to write.
    pub experiment: Experiment,
    /// What is to be done, by whoever writes it.
    pub action: Action,
    /// What can be said so far.
    pub verdict: Verdict,
    /// How the arms stand against each other.
    pub standing: Standing,
    /// How far each arm is above the control, in the unit in which the primary metric is counted.
    pub effects: PerArm,
}

/// Looks at an experiment.
///
/// It is a function of its arguments alone, so that two who look at once find the same; whoever writes second under the
/// condition that the experiment is unchanged, fails and looks again. An error: the counters cannot be.
pub fn tick(experiment: &Experiment, observed: &Observed, now: Timestamp) -> Result<Tick> {
    let mut next = experiment.clone();
    let active = next.status == Status::Active;
    if active {
        next.watch(observed, now)?;
    }
    let measure = next.settings.primary_metric;
    let noise = Noise::of(measure, observed.design_effect);
    let estimate =
        Estimate::of(next.arms.len(), &observed.strata, noise, |_| 1.0).map_err(Error::internal)?;
    let standing = Standing::of(&estimate, &next.competing(), next.seed());
    if active && now.since(next.state.looked_at).is_some_and(|passed| passed >= LOOK) {
        next.state.streak = next.state.streak.next(&standing);
        next.state.looked_at = now;
    }
    let progress = Progress {
        active: next.active_for(now),
        flags: next.forbidding(),
        streak: next.state.streak,
        scale: estimate.scale(measure, 0),
    };
    let decision = decide(&estimate, &standing, next.settings.of_decision(), progress);
    let verdict = next.verdict_of(&decision);
    let action = match Ended::of(decision.outcome).filter(|_| active) {
        Some(ended) => next.end(ended, &decision, &verdict, now),
        None if active => next.reallocate(observed, &estimate, &standing, now)?,
        None => Action::Hold,
    };
    Ok(Tick { experiment: next, action, verdict, standing, effects: *estimate.effects() })
}

impl Experiment {
    /// Takes in what was observed: what speaks against arms, and whether any of it can be trusted.
    fn watch(&mut self, observed: &Observed, now: Timestamp) -> Result<()> {
        if observed.exposures > self.state.exposures {
            self.state.exposures = observed.exposures;
            self.state.data_at = now;
        }
        let silent = now.since(self.state.data_at).is_some_and(|silence| silence >= SILENCE);
        let served =
            observed.served.iter().map(|served| Exposed { units: &served.units, weights: &served.weights });
        let srm = sample_ratio(self.arms.len(), served).is_some_and(|imbalance| imbalance.flagged);
        let bias = feedback_bias(&observed.answered).is_some_and(|imbalance| imbalance.flagged);
        let mut outage = false;
        let mut keys = self.arms.iter().map(|arm| arm.key.as_str());
        let control = keys.next().unwrap_or_default();
        for ((challenger, canary), seen) in self.state.challengers.iter_mut().zip(keys).zip(&observed.harm) {
            // Counts of former weights were taken in under them.
            if observed.allocation_version == self.state.allocation_version {
                take_in(&mut challenger.processes, &self.settings.guardrails, seen);
            }
            let words = Words { canary, control, meanwhile: "under these weights" };
            let health = Health::of(&self.settings.guardrails, &challenger.processes, seen, words)?;
            outage |= health.outage;
            if challenger.breaches.is_empty() && !health.outage {
                challenger.breaches = health.breaches;
            }
        }
        for (flag, is_up) in
            [(Flag::Srm, srm), (Flag::FeedbackBias, bias), (Flag::Frozen, outage), (Flag::Stalled, silent)]
        {
            if is_up {
                self.flags.insert(flag);
            } else {
                self.flags.remove(&flag);
            }
        }
        Ok(())
    }

    fn forbidding(&self) -> Flags {
        let has = |flag| self.flags.contains(&flag);
        Flags { srm: has(Flag::Srm), feedback_bias: has(Flag::FeedbackBias), frozen: has(Flag::Frozen) }
    }

    fn verdict_of(&self, decision: &Decision) -> Verdict {
        let broken = self.arms.iter().skip(1).zip(&self.state.challengers).flat_map(|(arm, challenger)| {
            challenger.breaches.iter().map(move |breach| format!("{} was taken out: {breach}.", arm.key))
        });
        let reasons = decision.reasons(&self.keys()).into_iter().chain(broken).collect();
        let (e_value, threshold) = (decision.e_value(), decision.threshold());
        Verdict { mode: self.settings.decision, e_value, threshold, reasons }
    }

    fn end(&mut self, ended: Ended, decision: &Decision, verdict: &Verdict, now: Timestamp) -> Action {
        let winner = match decision.outcome {
            Outcome::Winner(arm) => Some(arm),
            _ => None,
        };
        self.status = Status::Completed;
        self.outcome = Some(ended);
        self.winner_version_id = winner.and_then(|arm| self.arms.get(arm)).map(|arm| arm.version.id);
        self.verdict = Some(verdict.clone());
        self.ended_at = Some(now);
        Action::End(winner)
    }

    /// Follows the data, and takes from arms that must not serve.
    fn reallocate(
        &mut self,
        observed: &Observed,
        estimate: &Estimate,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<Action> {
        let wanted = match self.settings.split(self.arms.len())? {
            // What is seen now may not be the arms' doing.
            _ if self.flags.contains(&Flag::Srm) || self.flags.contains(&Flag::Frozen) => {
                fixed(&self.state.weights, standing)
            }
            None => fixed(&self.arms.iter().map(|arm| arm.weight).collect::<Vec<_>>(), standing),
            Some(split) => match self.settings.reward_half_life_days {
                None => split.weights(estimate, standing),
                Some(half_life) => {
                    let faded = self.faded(observed, half_life)?;
                    let standing = Standing::of(&faded, &self.competing(), self.seed());
                    split.weights(&faded, &standing)
                }
            },
        };
        let age = now.since(self.state.allocated_at).unwrap_or_default();
        let interval = self.settings.update_interval();
        // A missing answer is a failure only in a stratum that has closed.
        let closes = self.settings.feedback == Feedback::ImplicitNegative && age >= interval;
        if !closes && !is_due(&self.state.weights, &wanted, age, interval) {
            return Ok(Action::Hold);
        }
        self.state.allocate(wanted.to_vec(), now);
        Ok(Action::Allocate)
    }

    /// The estimate in which old answers count less.
    fn faded(&self, observed: &Observed, half_life: f64) -> Result<Estimate> {
        let noise = Noise::of(self.settings.primary_metric, observed.design_effect);
        let age = |version: u64| observed.ages.get(&version).copied().unwrap_or_default();
        Estimate::of(self.arms.len(), &observed.strata, noise, |stratum| {
            // The stratum that is still open counts whole.
            if stratum.allocation_version == self.state.allocation_version {
                1.0
            } else {
                fade(half_life, age(stratum.allocation_version))
            }
        })
        .map_err(Error::internal)
    }
}
