//! What is known of a promoted canary: the hours since, beside those of the control a day earlier (statistics.md §5).
//!
//! After the promotion everybody is served the same version, so no units are assigned and none are counted. Calls are
//! counted instead, by version and hour. Both windows hold the same users, so one who always fails weighs the same in
//! either.

use std::time::Duration;

use domain::{
    Result, Timestamp, VersionId,
    counter::Sums,
    experiment::estimate::Stratum,
    measure::Measure,
    metric::{Count, Hour, Tally, tally::RATINGS},
    rollout::{Compared, Mean, Observed, Phase, Rollout, Units, guardrail::Limit},
};

use super::{count, real};
use crate::Registry;

const DAY: Duration = Duration::from_hours(24);

impl Registry {
    /// Puts what the hours say in the place of what the units of a stage do, where the canary is being watched.
    pub(super) async fn watch_promoted(
        &self,
        canary: &Rollout,
        observed: &mut Observed,
        now: Timestamp,
    ) -> Result<()> {
        if canary.state.phase != Phase::Watch {
            return Ok(());
        }
        let since = canary.state.since;
        let (before, after) = futures_util::try_join!(
            self.hours_of(canary, canary.control.id, (since.minus(DAY), now.minus(DAY))),
            self.hours_of(canary, canary.canary.id, (since, now))
        )?;
        let compared = |measure| Compared {
            canary: calls(&after, measure, canary),
            control: calls(&before, measure, canary),
        };
        observed.failures.iter_mut().for_each(|(measure, units)| *units = compared(*measure));
        for guardrail in &canary.plan.guardrails {
            let Limit::Margin { measure, .. } = guardrail.limit() else { continue };
            if let (Some(before), Some(after)) = (sums(&before, measure), sums(&after, measure)) {
                let arms = vec![before.signed(measure.sign()), after.signed(measure.sign())];
                // The hours hold the last calls of the stages, so these count no more.
                let mean = observed
                    .means
                    .entry(measure)
                    .or_insert_with(|| Mean { strata: Vec::new(), design_effect: 1.0 });
                mean.strata = vec![Stratum { allocation_version: canary.state.allocation_version, arms }];
            }
        }
        Ok(())
    }

    /// What the hours of a version say together, from one moment to another.
    async fn hours_of(
        &self,
        canary: &Rollout,
        version: VersionId,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Tally> {
        let hours = self.store.hours(version, &canary.environment, Hour::of(from), Hour::of(to)).await?;
        let mut tally = Tally::default();
        for hour in hours.values() {
            tally.merge(hour);
        }
        Ok(tally)
    }
}

/// Calls, and those of them to which it happened.
fn calls(tally: &Tally, measure: Measure, canary: &Rollout) -> Units {
    let failed = match measure {
        Measure::Refusal => tally.counts.get(Count::Refusals),
        Measure::LatencySlo => domain::rollout::guardrail::slo_ms(&canary.plan.guardrails)
            .map_or(0, |slo| tally.latency.above(real(i64::try_from(slo).unwrap_or(i64::MAX)))),
        _ => tally.counts.get(Count::Errors),
    };
    let served = count(tally.counts.get(Count::Calls));
    Units { served, failed: count(failed).min(served) }
}

/// What the hours know of a measure's scatter: of costs and scores they keep no squares.
fn sums(tally: &Tally, measure: Measure) -> Option<Sums> {
    let values: Vec<(f64, i64)> = match measure {
        Measure::LatencyMs => tally.latency.values().collect(),
        Measure::UserRating => {
            (1..).zip(RATINGS).map(|(points, bin)| (f64::from(points), tally.counts.get(bin))).collect()
        }
        _ => return None,
    };
    Some(values.into_iter().fold(Sums::default(), |sums, (value, times)| {
        let (x, n) = (measure.transform(value) - measure.shift(), real(times));
        Sums { n: sums.n + n, s1: sums.s1 + n * x, s2: sums.s2 + n * x * x }
    }))
}
