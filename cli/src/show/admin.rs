//! Keys, models, and the health of the platform.

use client::{
    health::Readiness,
    keys::{FreshKey, Key},
    models::Model,
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
        paper.pair("secret", self.secret.clone());
        paper.line("\nIt is shown only now: keep it where secrets are kept.");
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
