//! How a canary is to grow.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    guardrail::{self, Guardrail},
    observed::real,
};
use crate::{Error, FieldProblem, Result};

/// How long the stage that a canary starts with may take to collect the first stage's samples.
const FIRST_SAMPLES_WITHIN: Duration = Duration::from_hours(6);

/// A part of the units, and what it takes to go on to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// How many of 100 units the new version serves.
    pub percent: f64,
    /// How many requests it must have answered since the canary began.
    pub min_samples: u64,
    /// How many ratings and scores of its answers there must be since then.
    #[serde(default)]
    pub min_labels: u64,
    /// How long the stage lasts at least.
    pub bake_minutes: u32,
}

/// What a person may choose of a canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// The stages before the promotion, each larger than the one before.
    pub stages: Vec<Stage>,
    /// What may not get worse.
    pub guardrails: Vec<Guardrail>,
    /// Whether a breach ends the canary. Otherwise it holds, and a person decides.
    pub auto_rollback: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { stages: Stage::DEFAULTS.to_vec(), guardrails: guardrail::defaults(), auto_rollback: true }
    }
}

impl Stage {
    /// Those of statistics.md §5.
    pub const DEFAULTS: [Self; 4] = [
        Self { percent: 1.0, min_samples: 50, min_labels: 0, bake_minutes: 15 },
        Self { percent: 5.0, min_samples: 250, min_labels: 0, bake_minutes: 30 },
        Self { percent: 25.0, min_samples: 500, min_labels: 30, bake_minutes: 60 },
        Self { percent: 50.0, min_samples: 1000, min_labels: 60, bake_minutes: 120 },
    ];

    /// The share of the units, 0 to 1.
    pub fn share(&self) -> f64 {
        self.percent / 100.0
    }

    /// How long the stage lasts at least.
    pub fn bake(&self) -> Duration {
        Duration::from_mins(self.bake_minutes.into())
    }

    /// After how long a stage that lacks something has stalled. Large stages may collect for longer.
    pub fn max_wait(&self) -> Duration {
        Duration::from_hours(if self.percent < 25.0 { 24 } else { 48 })
    }
}

impl Plan {
    /// The smallest stage that soon has some samples, as its place in the list, where the environment has so
    /// much traffic; the largest where none has.
    pub fn start_stage(&self, requests_per_day: f64) -> usize {
        let within = FIRST_SAMPLES_WITHIN.as_secs_f64() / Duration::from_hours(24).as_secs_f64();
        let wanted = self.stages.first().map_or(0.0, |stage| real(stage.min_samples));
        let soon = self.stages.iter().position(|stage| stage.share() * requests_per_day * within >= wanted);
        soon.unwrap_or(self.stages.len().saturating_sub(1))
    }

    /// Refuses what means nothing. All that is wrong with the stages is said together.
    pub fn validate(&self) -> Result<()> {
        if !(1..=20).contains(&self.stages.len()) {
            let detail = "A canary has 1 to 20 stages. Leave them out for 1, 5, 25 and 50 %.";
            return Err(Error::invalid("/stages", detail));
        }
        let problems = self.stages.iter().enumerate().filter_map(|(at, stage)| {
            let former = at.checked_sub(1).map_or(0.0, |former| self.stages[former].percent);
            let grows = stage.percent > former;
            let (field, detail) = if !grows {
                ("percent", "Each stage is larger than the one before, the first above 0 %.")
            } else if stage.percent >= 100.0 {
                ("percent", "Stages are below 100 %: after the last one the version is promoted by itself.")
            } else if stage.bake() >= stage.max_wait() {
                (
                    "bake_minutes",
                    "A stage bakes for less than it may wait: 24 hours below 25 %, 48 from there.",
                )
            } else {
                return None;
            };
            Some(FieldProblem { pointer: format!("/stages/{at}/{field}"), detail: detail.to_owned() })
        });
        Error::check(problems.collect())?;
        guardrail::validate(&self.guardrails)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(percents: &[f64]) -> Plan {
        let stage = |percent: &f64| Stage { percent: *percent, ..Stage::DEFAULTS[0] };
        Plan { stages: percents.iter().map(stage).collect(), ..Plan::default() }
    }

    #[test]
    fn the_start_depends_on_the_traffic() {
        for (per_day, percent) in
            [(100_000.0, 1.0), (20_000.0, 1.0), (10_000.0, 5.0), (1_000.0, 25.0), (10.0, 50.0), (0.0, 50.0)]
        {
            let plan = Plan::default();
            assert!((plan.stages[plan.start_stage(per_day)].percent - percent).abs() < 1e-9, "{per_day}");
        }
    }

    #[test]
    fn stages_grow_and_stay_below_all() {
        Plan::default().validate().unwrap();
        stages(&[0.1, 99.9]).validate().unwrap();
        for (wrong, pointer) in [
            (stages(&[]), "/stages"),
            (stages(&[0.0]), "/stages/0/percent"),
            (stages(&[5.0, 5.0]), "/stages/1/percent"),
            (stages(&[5.0, 100.0]), "/stages/1/percent"),
            (stages(&[f64::NAN]), "/stages/0/percent"),
        ] {
            assert_eq!(wrong.validate().unwrap_err().problems()[0].pointer, pointer);
        }
        let mut endless = stages(&[1.0, 25.0]);
        endless.stages.iter_mut().for_each(|stage| stage.bake_minutes = 24 * 60);
        assert_eq!(endless.validate().unwrap_err().problems()[0].pointer, "/stages/0/bake_minutes");
    }

    #[test]
    fn what_is_left_out_is_as_specified() {
        let plan: Plan =
            serde_json::from_str(r#"{"stages": [{"percent": 10, "min_samples": 5, "bake_minutes": 1}]}"#)
                .unwrap();
        assert_eq!((plan.stages[0].min_labels, plan.auto_rollback, plan.guardrails.len()), (0, true, 5));
        assert_eq!(serde_json::from_str::<Plan>("{}").unwrap(), Plan::default());
    }
}
