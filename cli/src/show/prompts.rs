//! Prompts.

use client::{environments::Environment, gate::Gate, prompts::Prompt};
use serde_json::Value;

use super::{moment, or_dash, percent};
use crate::paper::{Paper, Row, Show};

impl Row for Prompt {
    const COLUMNS: &'static [&'static str] = &["PROMPT", "NEWEST", "STAGING", "PRODUCTION", "GATE", "TAGS"];

    fn cells(&self) -> Vec<String> {
        let live = |name: &str| or_dash(self.environment(name).and_then(|live| live.version_number));
        let archived = self.archived_at.map(|_| "archived".to_owned());
        vec![
            self.address(),
            or_dash(self.newest_version_number),
            live(domain::STAGING),
            live(domain::PRODUCTION),
            archived.unwrap_or_else(|| mode(self)),
            self.tags.join(" "),
        ]
    }
}

fn mode(prompt: &Prompt) -> String {
    if prompt.ungated { format!("{} (ungated)", prompt.gate.mode) } else { prompt.gate.mode.clone() }
}

impl Show for Prompt {
    fn show(&self, paper: &mut Paper) {
        paper.heading(&self.address());
        paper.pair("id", self.prompt_id.to_string());
        paper.pair("description", self.description.clone());
        paper.pair("tags", (!self.tags.is_empty()).then(|| self.tags.join(" ")));
        paper.pair("newest", self.newest_version_number.map(|number| format!("version {number}")));
        paper.pair("test set", self.test_set_id.map(|id| id.to_string()));
        paper.pair("gate", gate(&self.gate));
        paper.pair("archived", self.archived_at.map(moment));
        paper.pair("made", format!("{} by {}", moment(self.created_at), self.created_by));
        if self.environments.is_empty() {
            return paper.line("\nNothing is live yet.");
        }
        paper.line("");
        let rows = self.environments.iter().map(|live| {
            let number = or_dash(live.version_number);
            let trial = or_dash(live.experiment_id.as_ref());
            vec![live.name.clone(), number, live.revision.to_string(), trial]
        });
        paper.columns(&["ENVIRONMENT", "VERSION", "REVISION", "TRIAL"], &rows.collect::<Vec<_>>());
    }
}

/// A gate in a line.
fn gate(gate: &Gate) -> String {
    let from = if gate.inherited { ", the team's" } else { "" };
    if gate.mode == "off" {
        return format!("off{from}");
    }
    let Gate { min_pass_rate, min_cases, confidence, .. } = gate;
    let sure = percent(*confidence);
    let mut asks = vec![format!("{} of at least {min_cases} cases, {sure} sure", percent(*min_pass_rate))];
    asks.extend(gate.min_score.map(|score| format!("a score of {score}")));
    asks.extend(gate.require_staging_first.then(|| "staging first".to_owned()));
    asks.extend(gate.require_approval.then(|| "an approval".to_owned()));
    asks.extend(gate.max_cost_usd_per_case.map(|most| format!("at most ${most} a case")));
    asks.extend(gate.max_p95_latency_ms.map(|most| format!("95 % below {most} ms")));
    format!("{}{from}: {}", gate.mode, asks.join(", "))
}

impl Show for Environment {
    fn show(&self, paper: &mut Paper) {
        paper.heading(&self.environment);
        paper.pair("version", self.version_number.map(|number| number.to_string()));
        paper.pair("moved", format!("{} by {}", moment(self.moved_at), self.moved_by));
        paper.pair("revision", format!("{} (moved at {})", self.revision, self.moved_revision));
        paper.pair("trial", self.experiment_id.clone());
        paper.pair("rollback to", self.rollback_version_id.map(|id| id.to_string()));
        paper.pair(
            "locked",
            self.lock.as_ref().map(|lock| {
                let until = lock.until.map(|until| format!(" until {}", moment(until)));
                format!("by {}{}: {}", lock.by, until.unwrap_or_default(), lock.reason)
            }),
        );
        paper.pair(
            "held",
            self.automation_held.then(|| "no automatic promotion until a person promotes".to_owned()),
        );
        let overrides = serde_json::to_value(&self.overrides).unwrap_or_default();
        let set = overrides.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        let set: Vec<String> =
            set.map(|(name, value): (&String, &Value)| format!("{name} {value}")).collect();
        paper.pair("overrides", (!set.is_empty()).then(|| set.join(", ")));
    }
}
