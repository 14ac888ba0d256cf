//! Moves, and entries of the audit.

use client::{
    audit::Entry,
    moves::{Promoted, RolledBack},
};
use serde_json::Value;

use super::{moment, or_dash};
use crate::paper::{Paper, Row, Show};

impl Row for Entry {
    const COLUMNS: &'static [&'static str] = &["WHEN", "WHO", "WHAT", "WHERE", "FROM", "TO", "WHY", "OF"];

    fn cells(&self) -> Vec<String> {
        let version = |side: &Value| or_dash(side.get("version_number").and_then(Value::as_u64));
        let who = self.actor.user.as_ref().map(|user| format!("{} for {user}", self.actor.name));
        vec![
            moment(self.at),
            who.unwrap_or_else(|| self.actor.name.clone()),
            self.action.clone(),
            or_dash(self.environment.as_ref()),
            version(&self.before),
            version(&self.after),
            or_dash(self.reason.as_ref()),
            self.chain.clone(),
        ]
    }
}

fn propagation(paper: &mut Paper, at: domain::Timestamp, cache_ms: Option<u64>, propagated: Option<bool>) {
    let cache = cache_ms.map(|took| format!("; the cache took {took} ms"));
    paper.pair("everywhere by", format!("{at}{}", cache.unwrap_or_default()));
    let late = propagated == Some(false);
    paper.pair(
        "attention",
        late.then(|| "the cache did not answer: caches of applications may be late".to_owned()),
    );
}

impl Show for Promoted {
    fn show(&self, paper: &mut Paper) {
        paper.line(format!("{} is live in {}.", self.version_id, self.environment));
        paper.pair("before", or_dash(self.previous_version_id));
        paper.pair("revision", self.revision.to_string());
        propagation(paper, self.propagated_at, self.cache_invalidation_ms, self.propagated);
    }
}

impl Show for RolledBack {
    fn show(&self, paper: &mut Paper) {
        paper.line(format!("Rolled back: {} is live in {} again.", or_dash(self.live()), self.environment));
        paper.pair("before", or_dash(self.previous_version_id));
        paper.pair("ended", self.stopped_experiment_id.clone());
        paper.pair("revision", self.revision.to_string());
        propagation(paper, self.rollback_propagated_at, self.cache_invalidation_ms, self.propagated);
    }
}
