//! The audit.

use domain::{AuditId, Timestamp, audit::export, key::Actor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Client, Page, Result};

/// An entry of the audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub audit_id: AuditId,
    /// A prompt's id, or `team:<team>`.
    pub chain: String,
    /// Its place in the chain.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Where.
    pub environment: Option<String>,
    /// What was before.
    pub before: Value,
    /// What is after.
    pub after: Value,
    /// Why.
    pub reason: Option<String>,
    /// On what ground.
    pub evidence: Value,
    /// The hash of the entry before.
    pub prev_hash: String,
    /// Its own.
    pub hash: String,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuditQuery {
    /// Of one prompt; none: of a team's keys, models and test sets.
    pub prompt_id: Option<String>,
    /// Of this team.
    pub team_id: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

/// Which chains are wanted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ExportQuery {
    /// One prompt's; none: all of the team, or of all teams.
    pub prompt_id: Option<String>,
    /// Of this team.
    pub team_id: Option<String>,
    /// What else is wanted of a prompt: `versions`.
    pub include: Option<&'static str>,
}

#[derive(Serialize)]
struct Rest {
    cursor: Option<String>,
}

impl Client {
    /// Lists entries, newest first.
    pub async fn audit(&self, query: &AuditQuery, most: usize) -> Result<Page<Entry>> {
        self.list("/api/audit", query, most).await
    }

    /// Whole chains as JSON lines, byte for byte as they can be verified, over as many requests as it takes.
    pub async fn export_audit(&self, query: &ExportQuery) -> Result<Vec<u8>> {
        let (mut lines, mut rest) = (Vec::new(), Rest { cursor: None });
        loop {
            let answer = self.get("/api/audit/export").query(query).query(&rest).bytes().await?;
            rest.cursor = std::str::from_utf8(&answer).ok().and_then(export::rest);
            lines.extend(answer);
            if rest.cursor.is_none() {
                return Ok(lines);
            }
        }
    }
}
