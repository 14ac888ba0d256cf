//! The messages of webhooks: an entry of a prompt's audit in words for machines, or for people.

use serde_json::{Value, json};

use super::{Event, Format};
use crate::{Prompt, Result, audit::AuditEntry};

/// The most bytes of each of the states and the evidence; what is larger is left out, and read in the audit.
const MAX_PART: usize = 16 * 1024;

/// An entry that is told.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// What it is.
    pub event: Event,
    /// The entry.
    pub entry: &'a AuditEntry,
    /// Whose it is.
    pub prompt: &'a Prompt,
}

impl Told<'_> {
    /// The body of the message.
    pub fn body(&self, format: Format) -> Result<String> {
        let body = match format {
            Format::Json => self.json(),
            Format::Slack => json!({ "text": self.sentence() }),
        };
        serde_json::to_string(&body).map_err(crate::Error::internal)
    }

    fn json(&self) -> Value {
        let entry = self.entry;
        json!({
            "type": self.event, "timestamp": entry.at,
            "data": {
                "audit_id": entry.audit_id, "team_id": self.prompt.team_id, "prompt_id": self.prompt.prompt_id,
                "prompt_name": self.prompt.name, "environment": entry.environment, "actor": entry.actor,
                "action": entry.action, "subject": entry.subject, "before": bounded(&entry.before),
                "after": bounded(&entry.after), "reason": entry.reason, "evidence": bounded(&entry.evidence),
            },
        })
    }

    /// Who did what to which prompt, where, and why.
    fn sentence(&self) -> String {
        let (entry, before, after) = (self.entry, &self.entry.before, &self.entry.after);
        let parts = [
            Some(self.deed()),
            entry.environment.as_ref().map(|environment| format!(" in {environment}")),
            before["version_number"].is_u64().then(|| format!(", where {} was live", version(before))),
            after["share"].as_f64().map(|share| format!(", at {} %", (share * 1000.0).round() / 10.0)),
            after["outcome"].as_str().map(|outcome| format!(" ({outcome})")),
            entry.reason.as_ref().map(|reason| format!(": {reason}")),
        ];
        harmless(&parts.into_iter().flatten().collect::<String>())
    }

    fn deed(&self) -> String {
        let (entry, who) = (self.entry, &self.entry.actor.name);
        let prompt = format!("`{}`", self.prompt.name);
        let version = format!("{} of {prompt}", version(&entry.after));
        let canary = match &entry.after["canary"]["number"] {
            Value::Number(number) => format!("canary of version {number} of {prompt}"),
            _ => format!("canary of {prompt}"),
        };
        match self.event {
            Event::VersionCreated => format!("{who} wrote {version}"),
            Event::GatePassed => format!("The gate lets {version} through"),
            Event::GateFailed => format!("The gate refuses {version}"),
            Event::ReviewNeeded => format!("A person has to decide on {version} ({})", entry.subject),
            Event::Promotion => format!("{who} promoted {version}"),
            Event::Rollback => format!("{who} rolled back to {version}"),
            Event::ExperimentStarted => format!("{who} started an experiment with {prompt}"),
            Event::ExperimentEnded => format!("The experiment with {prompt} ended"),
            Event::CanaryStarted => format!("{who} started a {canary}"),
            Event::CanaryAdvanced => format!("The {canary} went on"),
            Event::CanaryPaused => format!("{who} paused the {canary}"),
            Event::CanaryResumed => format!("{who} resumed the {canary}"),
            Event::CanaryEnded => format!("The {canary} ended"),
        }
    }
}

/// Slack reads these three characters as links and calls of people.
fn harmless(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn version(state: &Value) -> String {
    match &state["version_number"] {
        Value::Number(number) => format!("version {number}"),
        _ => "a version".to_owned(),
    }
}

fn bounded(part: &Value) -> Option<&Value> {
    Some(part).filter(|part| part.to_string().len() <= MAX_PART)
}
