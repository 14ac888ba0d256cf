//! Keys, webhooks, models, and the health of the platform.

use client::{
    health::Readiness,
    keys::{FreshKey, Key},
    models::Model,
    webhooks::{FreshWebhook, Webhook},
};

use super::{moment, or_dash};
use crate::paper::{Paper, Row, Show};

impl Row for Key {
    const COLUMNS: &'static [&'static str] = &["KEY", "NAME", "TEAM", "ROLE", "STATE", "LAST USED", "MADE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.key_id.clone(),
            self.name.clone(),
            self.team_id.clone(),
            self.role.clone(),
            state(self),
            or_dash(self.last_used_at.map(moment)),
            moment(self.created_at),
        ]
    }
}

fn state(key: &Key) -> String {
    if let Some(at) = key.revoked_at {
        return format!("revoked {}", moment(at));
    }
    let rotated = key.rotated_to.as_ref().map(|next| format!("rotated to {next}"));
    let expires = key.expires_at.map(|at| format!("until {}", moment(at)));
    rotated.or(expires).unwrap_or_else(|| "live".to_owned())
}

impl Show for Key {
    fn show(&self, paper: &mut Paper) {
        paper.heading(&format!("{} ({})", self.name, self.key_id));
        paper.pair("team", self.team_id.clone());
        paper.pair("role", self.role.clone());
        paper.pair("state", state(self));
    }
}

impl Show for FreshKey {
    fn show(&self, paper: &mut Paper) {
        self.key.show(paper);
        show_secret(paper, &self.secret);
    }
}

fn show_secret(paper: &mut Paper, secret: &str) {
    paper.pair("secret", secret.to_owned());
    paper.line("\nIt is shown only now: keep it where secrets are kept.");
}

impl Row for Webhook {
    const COLUMNS: &'static [&'static str] = &["WEBHOOK", "TEAM", "URL", "EVENTS", "FORMAT", "STATE", "MADE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.webhook_id.clone(),
            self.team_id.clone(),
            self.url.clone(),
            self.events.join(" "),
            self.format.clone(),
            told(self),
            moment(self.created_at),
        ]
    }
}

fn told(webhook: &Webhook) -> String {
    webhook.disabled_at.map_or_else(|| "live".to_owned(), |at| format!("disabled {}", moment(at)))
}

impl Show for Webhook {
    fn show(&self, paper: &mut Paper) {
        paper.heading(&format!("{} ({})", self.url, self.webhook_id));
        paper.pair("team", self.team_id.clone());
        paper.pair("events", self.events.join(" "));
        paper.pair("format", self.format.clone());
        paper.pair("state", told(self));
    }
}

impl Show for FreshWebhook {
    fn show(&self, paper: &mut Paper) {
        self.webhook.show(paper);
        show_secret(paper, &self.secret);
    }
}

impl Row for Model {
    const COLUMNS: &'static [&'static str] =
        &["MODEL", "PROVIDER", "$/MTOK IN", "$/MTOK OUT", "SECRET", "WHERE"];

    fn cells(&self) -> Vec<String> {
        let built_in = self.builtin.then(|| "built in".to_owned());
        vec![
            self.model_id.clone(),
            self.provider.clone(),
            self.input_usd_per_mtok.to_string(),
            self.output_usd_per_mtok.to_string(),
            or_dash(self.secret_name.as_ref()),
            or_dash(built_in.or_else(|| self.base_url.clone())),
        ]
    }
}

impl Show for Model {
    fn show(&self, paper: &mut Paper) {
        paper.table(std::slice::from_ref(self));
    }
}

impl Show for Readiness {
    fn show(&self, paper: &mut Paper) {
        let rows = self.dependencies.iter().map(|(name, dependency)| {
            vec![name.clone(), dependency.status.clone(), format!("{:.1} ms", dependency.latency_ms)]
        });
        paper.columns(&["DEPENDENCY", "STATUS", "LATENCY"], &rows.collect::<Vec<_>>());
    }
}
