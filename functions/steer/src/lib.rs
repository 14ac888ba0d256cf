//! `steer`: what has to happen again and again, every minute. Two at once agree, and doing it twice changes nothing.

use std::time::Duration;

use domain::{
    Figure, Result,
    key::{HashedKey, key_id},
    token::SigningKey,
};
use registry::{Registry, audit::AuditKept, evaluation::Watch};
use release::Release;
use serde::Serialize;

/// What the handler needs.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub release: Release,
    /// How long nobody may work on a run's cases before they are sent again.
    pub stuck_after: Duration,
    /// How live versions are watched.
    pub watch: Watch,
    /// The deployment's first key, an admin's; `None`: it needs none any more.
    pub admin_key: Option<HashedKey>,
}

/// How long nobody may work on a run's cases before they are sent again: longer than a worker may take over one.
pub const STUCK_AFTER: Duration = Duration::from_mins(4);

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Runs whose cases are sent again.
    pub runs_sent_again: usize,
    /// Experiments and canaries that changed: other weights, another stage, an end.
    pub trials_changed: usize,
    /// Live versions that are measured again.
    pub versions_watched: usize,
    /// Deleted test sets that are erased now.
    pub test_sets_erased: usize,
    /// What the audit's daily round did.
    pub audit: AuditKept,
    /// Whether a new key signs tokens from now on.
    pub new_signing_key: bool,
    /// Whether the deployment has its first key from now on.
    pub admin_key_made: bool,
}

/// How long a key signs; it verifies for 45 days.
const SIGNING_PERIOD: Duration = Duration::from_hours(7 * 24);

/// Does what there is to do. A job that fails keeps no other from being done; the first failure is returned.
pub async fn handle(app: &App) -> Result<Report> {
    let new_signing_key = app.keep_signing().await;
    let admin_key_made = app.let_the_admin_in().await;
    // Before what takes longer: a canary that does harm is not kept waiting.
    let trials_changed = Box::pin(app.release.steer_trials()).await;
    let runs_sent_again = app.registry().sweep_runs(app.stuck_after).await;
    if let Ok(runs @ 1..) = runs_sent_again {
        let figure = Figure::RunsSentAgain.name();
        tracing::warn!(figure, value = runs as u64, "nobody worked on runs, and they are sent again");
    }
    let versions_watched = app.registry().watch_live(app.watch).await;
    let audit = app.registry().keep_audit().await;
    let test_sets_erased = app.registry().erase_deleted().await;
    Ok(Report {
        new_signing_key: new_signing_key?,
        admin_key_made: admin_key_made?,
        trials_changed: trials_changed?,
        runs_sent_again: runs_sent_again?,
        versions_watched: versions_watched?,
        test_sets_erased: test_sets_erased?,
        audit: audit?,
    })
}

impl App {
    /// What a platform on one machine needs before its first request: a key that signs, and open runs sent out again,
    /// for their queue was lost with the last process. All else has time.
    pub async fn begin(&self) -> Result<()> {
        self.keep_signing().await?;
        self.registry().sweep_runs(self.stuck_after).await.map(|_| ())
    }

    fn registry(&self) -> &Registry {
        &self.release.registry
    }

    /// Makes the deployment's first key, once: what became of it later is the admins' business.
    async fn let_the_admin_in(&self) -> Result<bool> {
        let Some(key) = &self.admin_key else { return Ok(false) };
        let made = self.registry().install_admin_key(key).await?;
        if made {
            tracing::info!(key = key_id(&key.id), "the deployment's first key opens from now on");
        }
        Ok(made)
    }

    /// Makes the first signing key, and a new one every week. Two made in the same moment both verify.
    async fn keep_signing(&self) -> Result<bool> {
        let sources = &self.registry().sources;
        let now = sources.now();
        let newest = self.registry().store.newest_signing_key().await?;
        let young = |key: SigningKey| now.since(key.created_at).is_none_or(|age| age < SIGNING_PERIOD);
        if newest.is_some_and(young) {
            return Ok(false);
        }
        self.registry().store.put_signing_key(&SigningKey::generate(sources)).await?;
        Ok(true)
    }
}
