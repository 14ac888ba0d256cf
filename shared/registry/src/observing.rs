//! What a trial's counters say, as its judges want to know it.

mod watch;

use std::collections::BTreeMap;

use domain::{
    Result, Timestamp,
    counter::{Cell, Sums},
    experiment::{
        Experiment, Feedback, Observed, Served,
        balance::Answered,
        estimate::{Stratum, design_effect},
    },
    measure::Measure,
    rollout::{self, Compared, Guardrail, Mean, Rollout, Units, guardrail::Limit},
    trial::{TrialId, Weights},
};
use store::{
    keys::COMPACTED,
    metric::{ArmExposures, TrialCounters},
};

use crate::Registry;

/// Places of the control and of the canary among a canary's arms.
const CONTROL: usize = 0;
const CANARY: usize = 1;

/// The counters of a trial by measure, allocation version and arm.
pub(crate) struct Book {
    arms: usize,
    cells: BTreeMap<Measure, BTreeMap<u64, Vec<Cell>>>,
    exposures: BTreeMap<u64, Vec<ArmExposures>>,
}

impl Book {
    /// `keys` are the arms', the control's first. What was counted of other keys is none of the trial's.
    pub(crate) fn of(counters: TrialCounters, keys: &[&str]) -> Self {
        let place = |arm: &str| keys.iter().position(|key| *key == arm);
        let mut book = Self { arms: keys.len(), cells: BTreeMap::new(), exposures: BTreeMap::new() };
        for counted in counters.cells {
            let Some(at) = place(&counted.arm) else { continue };
            let strata = book.cells.entry(counted.measure).or_default();
            let stratum =
                strata.entry(counted.allocation_version).or_insert_with(|| vec![Cell::default(); keys.len()]);
            stratum[at].merge(&counted.cell);
        }
        for counted in counters.exposures {
            let Some(at) = place(&counted.arm) else { continue };
            let version = counted.allocation_version;
            let stratum = book.exposures.entry(version).or_insert_with(|| nobody(keys, version));
            stratum[at].add(&counted);
        }
        book
    }

    /// All of an arm's observations of a measure.
    pub(crate) fn pooled(&self, measure: Measure, arm: usize) -> Cell {
        let mut pooled = Cell::default();
        let strata = self.cells.get(&measure).into_iter().flatten();
        strata.for_each(|(_, cells)| pooled.merge(&cells[arm]));
        pooled
    }

    /// The same, where no answer is a failure, which is 0 of whatever is counted.
    fn pooled_with_failures(&self, measure: Measure, arm: usize) -> Cell {
        let mut pooled = self.pooled(measure, arm);
        pooled.total.n = pooled.total.n.max(self.exposures(arm));
        for (at, bucket) in pooled.buckets.iter_mut().enumerate() {
            bucket.n = bucket.n.max(self.exposures.values().map(|arms| arms[arm].buckets[at]).sum());
        }
        pooled
    }

    /// How many resolves of an arm were heard of.
    pub(crate) fn exposures(&self, arm: usize) -> i64 {
        self.exposures.values().map(|arms| arms[arm].exposures).sum()
    }

    /// The sums of these arms by allocation version, times the measure's sign.
    fn strata(&self, measure: Measure, arms: &[usize]) -> Result<Vec<Stratum>> {
        let strata = self.cells.get(&measure).into_iter().flatten();
        strata
            // Under this stand parts of what compacted strata come to together: no sums, and no stratum.
            .filter(|(version, _)| **version != COMPACTED)
            .map(|(version, cells)| {
                let arms = arms.iter().map(|arm| Ok(cells[*arm].total.sums()?.signed(measure.sign())));
                Ok(Stratum { allocation_version: *version, arms: arms.collect::<Result<_>>()? })
            })
            .collect()
    }

    fn mean(&self, measure: Measure, arms: [usize; 2]) -> Result<Mean> {
        let pooled = arms.map(|arm| self.pooled(measure, arm));
        Ok(Mean { strata: self.strata(measure, &arms)?, design_effect: design_effect(&pooled) })
    }

    /// Two arms side by side, by what these guardrails watch, with the units of one allocation version.
    fn harm(
        &self,
        guardrails: &[Guardrail],
        allocation_version: u64,
        [control, arm]: [usize; 2],
    ) -> Result<rollout::Observed> {
        let mut observed = rollout::Observed { allocation_version, ..rollout::Observed::default() };
        let units = |at: usize, measure| {
            let counted = self.exposures.get(&allocation_version).map(|arms| &arms[at]);
            counted.map_or_else(Units::default, |counted| counted.units_by(measure))
        };
        // Errors are looked at in any case, for the hard stop.
        let ratios = guardrails.iter().filter(|guardrail| matches!(guardrail.limit(), Limit::Ratio { .. }));
        for measure in ratios.map(Guardrail::measure).chain([Measure::Error]) {
            let compared = Compared { canary: units(arm, measure), control: units(control, measure) };
            observed.failures.insert(measure, compared);
        }
        for guardrail in guardrails {
            if let Limit::Margin { measure, .. } = guardrail.limit() {
                observed.means.insert(measure, self.mean(measure, [control, arm])?);
            }
        }
        Ok(observed)
    }
}

fn nobody(keys: &[&str], allocation_version: u64) -> Vec<ArmExposures> {
    keys.iter().map(|key| ArmExposures::none(allocation_version, (*key).to_owned())).collect()
}

impl Registry {
    /// The counters of a trial.
    pub(crate) async fn book(&self, trial: TrialId, keys: &[&str]) -> Result<Book> {
        Ok(Book::of(self.store.trial_counters(trial).await?, keys))
    }

    /// The counters of an experiment, and the weights that it had.
    pub(crate) async fn book_of(&self, experiment: &Experiment) -> Result<(Book, Vec<Weights>)> {
        let (trial, keys) = (experiment.experiment_id.into(), experiment.keys());
        futures_util::try_join!(self.book(trial, &keys), self.store.weights(trial))
    }

    /// What is known of an experiment now.
    pub async fn observe_experiment(&self, experiment: &Experiment, now: Timestamp) -> Result<Observed> {
        let (book, history) = self.book_of(experiment).await?;
        observed(experiment, &book, &history, now)
    }

    /// What is known of a canary now.
    pub async fn observe_rollout(&self, canary: &Rollout, now: Timestamp) -> Result<rollout::Observed> {
        let keys = [domain::allocation::CONTROL, domain::allocation::CANARY];
        let book = self.book(canary.rollout_id.into(), &keys).await?;
        let version = canary.state.allocation_version;
        let mut observed = book.harm(&canary.plan.guardrails, version, [CONTROL, CANARY])?;
        let labels = [Measure::UserRating, Measure::EvalScore, Measure::Quality];
        observed.requests = count(book.exposures(CANARY));
        observed.labels = labels.into_iter().map(|label| count(book.pooled(label, CANARY).total.n)).sum();
        self.watch_promoted(canary, &mut observed, now).await?;
        Ok(observed)
    }
}

/// What the book and the weights of an experiment say.
pub(crate) fn observed(
    experiment: &Experiment,
    book: &Book,
    history: &[Weights],
    now: Timestamp,
) -> Result<Observed> {
    let measure = experiment.settings.primary_metric;
    let closed = closed_at(experiment, history);
    let matured = |version: u64| {
        let closed = closed.get(&version).and_then(|closed| now.since(*closed));
        closed.is_some_and(|age| age >= experiment.settings.attribution_window())
    };
    let all: Vec<usize> = (0..book.arms).collect();
    // Where no answer is one, everybody has answered, and there is no rate of answers to be biased.
    let (strata, pooled, answered): (_, Vec<Cell>, _) = match experiment.settings.feedback {
        Feedback::Explicit => (
            book.strata(measure, &all)?,
            all.iter().map(|arm| book.pooled(measure, *arm)).collect(),
            all.iter().map(|arm| answered(book, measure, *arm, &matured)).collect(),
        ),
        Feedback::ImplicitNegative => (
            with_failures(book, measure, &all, &matured)?,
            all.iter().map(|arm| book.pooled_with_failures(measure, *arm)).collect(),
            Vec::new(),
        ),
    };
    let harm = (1..book.arms).map(|arm| {
        book.harm(&experiment.settings.guardrails, experiment.state.allocation_version, [CONTROL, arm])
    });
    let days = |version: &u64| {
        let age = closed.get(version).and_then(|closed| now.since(*closed)).unwrap_or_default();
        age.as_secs_f64() / 86_400.0
    };
    Ok(Observed {
        allocation_version: experiment.state.allocation_version,
        ages: history
            .iter()
            .map(|weights| weights.allocation_version)
            .map(|version| (version, days(&version)))
            .collect(),
        design_effect: design_effect(&pooled),
        harm: harm.collect::<Result<_>>()?,
        served: history.iter().filter_map(|weights| served(book, weights)).collect(),
        answered,
        exposures: all.iter().map(|arm| count(book.exposures(*arm))).sum(),
        strata,
    })
}

/// When each allocation version stopped being served.
fn closed_at(experiment: &Experiment, history: &[Weights]) -> BTreeMap<u64, Timestamp> {
    let ends = history.iter().skip(1).map(|weights| Some(weights.at)).chain([experiment.ended_at]);
    history.iter().zip(ends).filter_map(|(weights, end)| Some((weights.allocation_version, end?))).collect()
}

/// Exposures that can get no answer any more are failures.
fn with_failures(
    book: &Book,
    measure: Measure,
    arms: &[usize],
    matured: &impl Fn(u64) -> bool,
) -> Result<Vec<Stratum>> {
    let mut answered: BTreeMap<u64, Stratum> = book
        .strata(measure, arms)?
        .into_iter()
        .map(|stratum| (stratum.allocation_version, stratum))
        .collect();
    let exposed = book.exposures.iter().filter(|(version, _)| matured(**version));
    Ok(exposed
        .map(|(version, exposures)| {
            let none = || Stratum { allocation_version: *version, arms: vec![Sums::default(); arms.len()] };
            let mut stratum = answered.remove(version).unwrap_or_else(none);
            for (sums, exposures) in stratum.arms.iter_mut().zip(exposures) {
                sums.n = sums.n.max(real(exposures.exposures));
            }
            stratum
        })
        .collect())
}

fn served(book: &Book, weights: &Weights) -> Option<Served> {
    let units = book.exposures.get(&weights.allocation_version)?;
    let units = units.iter().map(|units| real(units.new_units)).collect();
    Some(Served { units, weights: weights.weights.clone() })
}

fn answered(book: &Book, measure: Measure, arm: usize, matured: &impl Fn(u64) -> bool) -> Answered {
    let mut answered = Answered { with: 0.0, without: 0.0 };
    for (version, exposures) in book.exposures.iter().filter(|(version, _)| matured(**version)) {
        let cells = book.cells.get(&measure).and_then(|strata| strata.get(version));
        let with = cells.map_or(0.0, |cells| real(cells[arm].total.n));
        answered.with += with;
        answered.without += (real(exposures[arm].exposures) - with).max(0.0);
    }
    answered
}

fn count(counted: i64) -> u64 {
    u64::try_from(counted).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn real(counted: i64) -> f64 {
    counted as f64
}

#[cfg(test)]
mod tests;
