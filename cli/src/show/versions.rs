//! Versions, what they render to, and what models answer.

use client::{
    trials::Trial,
    versions::{Diff, Rendered, Version},
};
use domain::content::{ChatMessage, MessageTemplate};

use super::{changes::show_changes, figure, moment, or_dash};
use crate::paper::{Paper, Row, Show};

/// Where a version stands, in a word or two.
pub fn verdict(version: &Version) -> String {
    let score = version.eval_score.map(|score| format!(" ({})", figure(score)));
    let drift = version.drift.as_ref().map_or("", |_| ", drifting");
    format!("{}{}{drift}", version.eval_status, score.unwrap_or_default())
}

impl Row for Version {
    const COLUMNS: &'static [&'static str] = &["VERSION", "EVALUATION", "MODEL", "WRITTEN", "BY", "NOTE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.version_number.to_string(),
            verdict(self),
            self.model_id.clone(),
            moment(self.created_at),
            self.created_by.clone(),
            or_dash(self.note.as_ref()),
        ]
    }
}

impl Show for Version {
    fn show(&self, paper: &mut Paper) {
        paper.heading(&format!("Version {}", self.version_number));
        paper.pair("id", self.version_id.to_string());
        paper.pair("evaluation", verdict(self));
        paper.pair("run", self.eval_run_id.map(|id| id.to_string()));
        paper.pair("drift", self.drift.as_ref().map(|drift| drift.reason.clone()));
        paper.pair(
            "model",
            format!(
                "{}, temperature {}, at most {} tokens",
                self.model_id, self.temperature, self.max_tokens
            ),
        );
        let format = serde_json::to_value(self.template_format).unwrap_or_default();
        paper.pair("format", format.as_str().map(str::to_owned));
        paper.pair("note", self.note.clone());
        paper.pair("written", format!("{} by {}", moment(self.created_at), self.created_by));
        paper.pair("was live in", (!self.been_live.is_empty()).then(|| self.been_live.join(", ")));
        for approval in &self.approvals {
            paper.pair(
                "approved",
                format!("for {} by {}: {}", approval.environment, approval.by, approval.reason),
            );
        }
        paper.pair("variables", (!self.variables.is_empty()).then(|| variables(self)));
        for (name, members) in [("params", &self.params), ("config", &self.config)] {
            paper.pair(
                name,
                (!members.is_empty()).then(|| serde_json::to_string(members).unwrap_or_default()),
            );
        }
        paper.block("System prompt", self.system_prompt.as_deref());
        for example in &self.few_shot_examples {
            paper.block("Example", Some(&format!("{}\n→ {}", example.input, example.output)));
        }
        paper.block("Template", self.template_text.as_deref());
        for message in self.messages.iter().flatten() {
            match message {
                MessageTemplate::Message(ChatMessage { role, content }) => {
                    paper.block(role.as_str(), Some(content));
                }
                MessageTemplate::Placeholder(place) => paper.block("placeholder", Some(&place.name)),
            }
        }
    }
}

fn variables(version: &Version) -> String {
    let named = version.variables.iter().map(|variable| {
        let kind = serde_json::to_value(variable.kind).unwrap_or_default();
        let kind = kind.as_str().unwrap_or_default().to_owned();
        format!("{}{} ({kind})", variable.name, if variable.required { "" } else { "?" })
    });
    named.collect::<Vec<_>>().join(", ")
}

impl Show for Diff {
    fn show(&self, paper: &mut Paper) {
        let name = |number: u32| format!("version {number}");
        show_changes(
            paper,
            (&name(self.from.version_number), &name(self.to.version_number)),
            &self.fields,
            &self.text,
        );
    }
}

fn messages(paper: &mut Paper, messages: &[ChatMessage], ignored: &[String]) {
    for message in messages {
        paper.heading(message.role.as_str());
        paper.line(&message.content);
    }
    if !ignored.is_empty() {
        paper.line(format!("\nNo variable takes: {}", ignored.join(", ")));
    }
}

impl Show for Rendered {
    fn show(&self, paper: &mut Paper) {
        messages(paper, &self.messages, &self.ignored_variables);
    }
}

impl Show for client::resolve::Resolved {
    fn show(&self, paper: &mut Paper) {
        paper.pair("version", format!("{} ({})", self.version_number, self.version_id));
        paper.pair(
            "model",
            format!(
                "{}, temperature {}, at most {} tokens",
                self.model_id, self.temperature, self.max_tokens
            ),
        );
        let arm = |trial: &String| format!("{trial}, variant {}", or_dash(self.variant.as_ref()));
        paper.pair("trial", self.experiment_id.as_ref().map(arm));
        paper.line("");
        messages(paper, self.messages.as_deref().unwrap_or_default(), &self.ignored_variables);
    }
}

impl Show for Trial {
    fn show(&self, paper: &mut Paper) {
        paper.line(&self.output);
        paper.line("");
        paper.pair("model", self.model_id.clone());
        paper.pair("latency", format!("{} ms", self.latency_ms));
        paper.pair("tokens", format!("{} in, {} out", self.input_tokens, self.output_tokens));
        paper.pair("cost", format!("${}", self.cost_usd));
        let ignored = &self.ignored_variables;
        paper.pair("not taken", (!ignored.is_empty()).then(|| ignored.join(", ")));
    }
}
