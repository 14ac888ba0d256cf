//! Experiments and canaries: what splits the traffic.

use client::{
    experiments::{Experiment, Guardrail, Weights},
    rollouts::Rollout,
};

use super::{figure, moment, or_dash, percent};
use crate::paper::{Paper, Row, Show};

impl Row for Experiment {
    const COLUMNS: &'static [&'static str] =
        &["EXPERIMENT", "WHERE", "STATUS", "OUTCOME", "METRIC", "VERSIONS", "STARTED"];

    fn cells(&self) -> Vec<String> {
        let versions = self.variants.iter().map(|variant| variant.version_number.to_string());
        vec![
            self.experiment_id.to_string(),
            self.environment.clone(),
            self.status.clone(),
            or_dash(self.outcome.as_ref()),
            self.primary_metric.clone(),
            versions.collect::<Vec<_>>().join(" / "),
            moment(self.start_date),
        ]
    }
}

fn guardrails(guardrails: &[Guardrail]) -> String {
    let limit = |guardrail: &Guardrail| {
        let of = |name: &str, value: Option<f64>| {
            value.map(|value| format!(" {name} {value}")).unwrap_or_default()
        };
        let slo = guardrail.slo_ms.map(|slo| format!(" over {slo} ms")).unwrap_or_default();
        format!("{}{slo}{}{}", guardrail.metric, of("ratio", guardrail.ratio), of("margin", guardrail.margin))
    };
    guardrails.iter().map(limit).collect::<Vec<_>>().join(", ")
}

impl Show for Experiment {
    fn show(&self, paper: &mut Paper) {
        let outcome = self.outcome.as_deref().unwrap_or(&self.status);
        paper.heading(&format!("Experiment in {}: {outcome}", self.environment));
        paper.pair("id", self.experiment_id.to_string());
        paper.pair("split", self.allocation_strategy.clone());
        let promotes = if self.auto_promote { "a winner is promoted" } else { "a person promotes" };
        paper.pair("decides", format!("{} on {}; {promotes}", self.decision.mode, self.primary_metric));
        paper.pair("guardrails", guardrails(&self.guardrails));
        paper.pair("flags", (!self.flags.is_empty()).then(|| self.flags.join(", ")));
        paper.pair("started", format!("{} by {}", moment(self.start_date), self.created_by));
        paper.pair("ended", self.end_date.map(moment));
        paper.pair("winner", self.winner_version_id.map(|id| id.to_string()));
        paper.line("");
        let rows = self.variants.iter().map(|variant| {
            let interval = variant.interval.as_deref().and_then(|bounds| match bounds {
                [low, high] => Some(format!(" [{}, {}]", figure(*low), figure(*high))),
                _ => None,
            });
            let estimate = variant.estimate.map(|value| figure(value) + &interval.unwrap_or_default());
            vec![
                variant.key.clone(),
                variant.version_number.to_string(),
                percent(variant.traffic_weight),
                variant.exposures.to_string(),
                variant.feedback.to_string(),
                or_dash(estimate),
                percent(variant.p_best),
                or_dash(variant.observed_lift.map(figure)),
                if variant.breaches.is_empty() { "-".to_owned() } else { variant.breaches.join(", ") },
            ]
        });
        let names =
            ["ARM", "VERSION", "TRAFFIC", "EXPOSED", "ANSWERS", "ESTIMATE", "P(BEST)", "LIFT", "BREACHES"];
        paper.columns(&names, &rows.collect::<Vec<_>>());
        let (evidence, threshold) = (figure(self.decision.e_value), figure(self.decision.threshold));
        paper.line(format!("\nEvidence {evidence} of {threshold}. A lift that won is likely overstated."));
        for reason in &self.decision.reasons {
            paper.line(format!("- {reason}"));
        }
    }
}

impl Row for Weights {
    const COLUMNS: &'static [&'static str] = &["SINCE", "WEIGHTS", "WHY"];

    fn cells(&self) -> Vec<String> {
        let weights =
            self.weights.iter().map(|weight| format!("{} {}", weight.key, percent(weight.traffic_weight)));
        vec![moment(self.at), weights.collect::<Vec<_>>().join(", "), self.reasons.join(" ")]
    }
}

impl Row for Rollout {
    const COLUMNS: &'static [&'static str] = &["CANARY", "WHERE", "STATUS", "VERSION", "SERVES", "STARTED"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.rollout_id.to_string(),
            self.environment.clone(),
            self.status.clone(),
            format!("{} beside {}", self.version_number, self.control_version_number),
            format!("{} %", figure(self.percent)),
            moment(self.started_at),
        ]
    }
}

impl Show for Rollout {
    fn show(&self, paper: &mut Paper) {
        paper.heading(&format!("Canary in {}: {}", self.environment, self.status));
        paper.pair("id", self.rollout_id.to_string());
        paper.pair("version", format!("{} beside {}", self.version_number, self.control_version_number));
        paper.pair("serves", format!("{} % of the users", figure(self.percent)));
        let at = |stage: usize| {
            format!("{} of {}, since {}", stage + 1, self.stages.len(), moment(self.stage_since))
        };
        paper.pair("stage", self.stage.map(at));
        paper.pair("answered", format!("{} requests, {} ratings and scores", self.samples, self.labels));
        paper.pair("guardrails", guardrails(&self.guardrails));
        let back = if self.auto_rollback { "takes the version back" } else { "holds the stage" };
        paper.pair("a breach", back.to_owned());
        paper.pair("flags", (!self.flags.is_empty()).then(|| self.flags.join(", ")));
        paper.pair("paused", self.paused_at.map(moment));
        paper.pair("started", format!("{} by {}", moment(self.started_at), self.created_by));
        paper.pair("ended", self.ended_at.map(moment));
        for reason in &self.reasons {
            paper.line(format!("- {reason}"));
        }
    }
}
