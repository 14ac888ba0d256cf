//! One canary, minute by minute, judged by the project's own code (statistics.md §5).

use std::{collections::BTreeMap, time::Duration};

use domain::{
    PromptId, Result, RolloutId, Timestamp, VersionId, VersionPointer,
    counter::Sums,
    experiment::estimate::Stratum,
    measure::Measure,
    rollout::{Compared, Decision, Mean, Observed, Plan, Rollout, State, Status, Units, tick},
};

use crate::draws::Draws;

/// How long a canary is followed.
const MINUTES: u32 = 3 * 24 * 60;
/// The share of the control's requests that fail.
const ERRORS: f64 = 0.01;
/// The share of users who rate.
const RESPOND: f64 = 0.15;

/// How a new version differs from the one before. Whatever is not said is as good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Harm {
    /// The share of its requests that fail.
    pub(crate) errors: f64,
    /// How many times as long its calls take.
    pub(crate) latency: f64,
    /// How many times as much they cost.
    pub(crate) cost: f64,
    /// How many points lower it is rated.
    pub(crate) rating: f64,
    /// How much lower its answers are scored.
    pub(crate) score: f64,
    /// The share of answers that the judge scores.
    pub(crate) judged: f64,
}

/// No harm.
pub(crate) const HEALTHY: Harm =
    Harm { errors: ERRORS, latency: 1.0, cost: 1.0, rating: 0.0, score: 0.0, judged: 0.10 };

/// How a canary ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Aborted,
    Promoted,
    /// After three days it was neither.
    Going,
}

/// What became of a canary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Story {
    pub(crate) end: End,
    pub(crate) hours: f64,
    /// What the new version had answered by then.
    pub(crate) requests: u64,
}

/// The measures that are compared by their means, and the deviation of single observations. The specification
/// does not say with which the table was made: these are what §1 assumes before there are data, but for
/// scores, of which .25 would be too much for the table's.
const MEANS: [(Measure, f64); 4] = [
    (Measure::LatencyMs, 0.6),
    (Measure::CostUsd, 0.7),
    (Measure::UserRating, 1.1),
    (Measure::EvalScore, 0.2),
];

/// Runs one in an environment with so many requests a day, each of another user.
pub(crate) fn run(harm: Harm, per_day: f64, draws: &mut Draws) -> Result<Story> {
    let mut rollout = begin(per_day)?;
    let mut observed =
        Observed { means: MEANS.map(|(measure, _)| (measure, none())).into(), ..Observed::default() };
    enter(&rollout, &mut observed);
    let mut end = End::Going;
    let mut minute = 0;
    while end == End::Going && minute < MINUTES {
        if minute % 60 == 0 && minute > 0 {
            cut(&rollout, &mut observed);
        }
        let share = rollout.share();
        for (arm, weight) in [1.0 - share, share].into_iter().enumerate() {
            serve(arm, weight * per_day / 1440.0, harm, &mut observed, draws);
        }
        minute += 1;
        let after = tick(&rollout, &observed, at(minute))?;
        rollout = after.rollout;
        match after.decision {
            Decision::Advance(_) => enter(&rollout, &mut observed),
            Decision::Abort => end = End::Aborted,
            Decision::Promote => end = End::Promoted,
            _ => {}
        }
    }
    Ok(Story { end, hours: f64::from(minute) / 60.0, requests: observed.requests })
}

fn at(minute: u32) -> Timestamp {
    Timestamp::from_millis(0).plus(Duration::from_mins(minute.into()))
}

fn begin(per_day: f64) -> Result<Rollout> {
    let plan = Plan::default();
    let version =
        |number| VersionPointer { number, id: VersionId::from_bytes(u128::from(number).to_be_bytes()) };
    Ok(Rollout {
        rollout_id: RolloutId::from_bytes([1; 16]),
        prompt_id: PromptId::from_bytes([2; 16]),
        environment: domain::PRODUCTION.parse().map_err(domain::Error::internal)?,
        control: version(1),
        canary: version(2),
        state: State::begin(&plan, plan.start_stage(per_day), at(0)),
        plan,
        flags: [].into(),
        status: Status::Active,
        reasons: Vec::new(),
        created_by: String::new(),
        started_at: at(0),
        ended_at: None,
        revision: 1,
    })
}

fn none() -> Mean {
    Mean { strata: Vec::new(), design_effect: 1.0 }
}

/// A stage counts its units anew.
fn enter(rollout: &Rollout, observed: &mut Observed) {
    observed.allocation_version = rollout.state.allocation_version;
    observed.failures = [(Measure::Error, Compared::default())].into();
    cut(rollout, observed);
}

/// Strata are the hours of the stages.
fn cut(rollout: &Rollout, observed: &mut Observed) {
    for mean in observed.means.values_mut() {
        let allocation_version = rollout.state.allocation_version;
        mean.strata.push(Stratum { allocation_version, arms: vec![Sums::default(); 2] });
    }
}

/// A minute of an arm's requests.
fn serve(arm: usize, requests: f64, harm: Harm, observed: &mut Observed, draws: &mut Draws) {
    let harm = if arm == 1 { harm } else { Harm { judged: harm.judged, ..HEALTHY } };
    // In the unit in which each is counted; more is better.
    let differs = [-harm.latency.ln(), -harm.cost.ln(), -harm.rating, -harm.score];
    let counted = [1.0, 1.0, RESPOND, harm.judged];
    let mut count = draws.count(requests);
    while count > 0.0 {
        count -= 1.0;
        fail(arm, draws.happens(harm.errors), &mut observed.failures);
        for (((measure, deviation), differs), share) in MEANS.into_iter().zip(differs).zip(counted) {
            if share < 1.0 && !draws.happens(share) {
                continue;
            }
            observe(arm, differs + deviation * draws.normal(), measure, &mut observed.means);
            observed.labels += u64::from(arm == 1 && share < 1.0);
        }
        observed.requests += u64::from(arm == 1);
    }
}

fn fail(arm: usize, fails: bool, failures: &mut BTreeMap<Measure, Compared>) {
    let Some(Compared { canary, control }) = failures.get_mut(&Measure::Error) else { return };
    let Units { served, failed } = if arm == 1 { canary } else { control };
    *served += 1;
    *failed += u64::from(fails);
}

fn observe(arm: usize, value: f64, measure: Measure, means: &mut BTreeMap<Measure, Mean>) {
    let stratum = means.get_mut(&measure).and_then(|mean| mean.strata.last_mut());
    let Some(sums) = stratum.map(|stratum| &mut stratum.arms[arm]) else { return };
    *sums = Sums { n: sums.n + 1.0, s1: sums.s1 + value, s2: sums.s2 + value * value };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmful_version_is_aborted_and_a_healthy_one_promoted() {
        let story = |harm, replication| run(harm, 100_000.0, &mut Draws::of(1, 1, replication)).unwrap();
        for replication in 0..5 {
            let healthy = story(HEALTHY, replication);
            assert_eq!(healthy.end, End::Promoted);
            assert!((4.5..7.0).contains(&healthy.hours) && healthy.requests > 1000, "{healthy:?}");
            let harms = [
                Harm { errors: 0.3, ..HEALTHY },
                Harm { latency: 1.5, ..HEALTHY },
                Harm { cost: 1.5, ..HEALTHY },
                Harm { rating: 1.0, ..HEALTHY },
                Harm { score: 0.3, ..HEALTHY },
            ];
            for harm in harms {
                assert_eq!(story(harm, replication).end, End::Aborted, "{harm:?}");
            }
        }
    }
}
