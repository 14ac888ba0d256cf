//! `propagate`: reads the registry's stream. What was written reaches the archive first, and then the cache.
//!
//! Records come in any order and perhaps twice: each says only what to look at, and the table says how it is.

use std::{collections::HashSet, sync::Arc};

use aws_lambda_events::event::{dynamodb::Event, streams::DynamoDbEventResponse};
use cache::Cache;
use domain::{Alarm, Figure, Result, Sources, audit::AuditEntry};
use runtime::batch;
use store::{Store, keys::Key};

/// What the handler needs.
#[derive(Clone)]
pub struct App {
    /// Where the audit is read and archived.
    pub store: Store,
    /// What tells the cache of changes.
    pub cache: Arc<Cache>,
    /// When it is done.
    pub sources: Sources,
}

/// Handles a batch of records. When some of the audit cannot be archived all of it comes again, or the cache would be
/// told of changes before the archive, or never.
pub async fn handle(event: Event, app: &App) -> Result<DynamoDbEventResponse> {
    let written = batch::keys(&event);
    for key in &written {
        if let Err(error) = app.archive(key).await {
            return Ok(batch::all_again(&event, &error));
        }
    }
    app.refresh(written).await;
    if let Some(lag) = batch::oldest(&event).and_then(|oldest| app.sources.now().since(oldest)) {
        let value = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(figure = Figure::CatchUp.name(), value, "archive and cache have what was written");
    }
    Ok(DynamoDbEventResponse::default())
}

impl App {
    async fn archive(&self, key: &Key) -> Result<()> {
        match key {
            Key::PromptAudit(..) | Key::TeamAudit(..) => {
                alarm(&self.store.archive_audit(key).await?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Never fails a record: what the cache is not told of, its bound heals.
    async fn refresh(&self, changed: HashSet<Key>) {
        for key in changed {
            let refreshed = match &key {
                Key::Ref(prompt, environment) => self.cache.refresh_ref(*prompt, environment).await,
                Key::Name(team, name) => self.cache.refresh_name(team, name).await,
                Key::ApiKey(id) => self.cache.refresh_key(id).await,
                _ => Ok(()),
            };
            if let Err(error) = refreshed {
                tracing::warn!(key = ?key, error = %error.chain(), "the cache was not told of a change");
            }
        }
    }
}

/// Whoever promotes past the gate is not stopped, and people are called: the audit tells them the rest. An entry that
/// comes again calls them again.
fn alarm(entry: &AuditEntry) {
    if entry.is_ungated() {
        tracing::debug!(
            alarm = Alarm::UngatedPromotion.name(), prompt = entry.chain, version = entry.subject,
            actor = entry.actor.id, audit_id = %entry.audit_id, "a version went live that no gate let through"
        );
    }
}
