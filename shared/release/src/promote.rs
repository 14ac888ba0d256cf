//! Promotion: a version becomes live, if the gate agrees.

use cache::ReadAt;
use domain::{
    Environment, Error, ErrorKind, KeyRole, Prompt, PromptId, Ref, Result, Trial, VersionId,
    audit::{Action, Fact},
    reference::Mover,
    rollout::Rollout,
};
use registry::{
    Act, Made,
    settle::Step,
    version::{VersionDetails, refuse_archived},
};
use serde_json::{Value, json};
use store::Change;

use crate::{
    Release,
    gatekeeper::Clearance,
    moved::{Moved, News, Reach, check_expected, check_reason, describe_move},
    require_mover,
    trial::Decided,
};

/// A wish to promote.
#[derive(Debug, Clone)]
pub struct Promotion {
    /// What shall be live.
    pub version_id: VersionId,
    /// Where.
    pub environment: Environment,
    /// The `moved_revision` that the mover saw.
    pub expected_revision: Option<u64>,
    /// Why.
    pub reason: Option<String>,
    /// An admin's reason to pass the gate, locks and warnings.
    pub override_reason: Option<String>,
    /// The decision of a trial that this carries out.
    pub decided: Option<Decided>,
}

impl Release {
    /// Promotes a version of a prompt.
    pub async fn promote(&self, act: &Act, address: &str, wish: &Promotion) -> Result<Made<Moved>> {
        require_mover(&act.caller, &wish.environment)?;
        check_reason("/reason", wish.reason.as_deref())?;
        check_reason("/override/reason", wish.override_reason.as_deref())?;
        if let Some(reason) = &wish.override_reason {
            act.caller.require(KeyRole::Admin)?;
            if reason.trim().is_empty() {
                return Err(Error::invalid("/override/reason", "An override says why."));
            }
        }
        let registry = &self.registry;
        let prompt_id = registry.prompt(&act.caller, address).await?.prompt_id;
        let attempt = || Box::pin(self.build_promotion(act, prompt_id, wish));
        let replay = |made: String| async move { Ok((self.moved_before(prompt_id, &made).await?, None)) };
        let Made { value: (mut moved, news), replayed } = registry.settle(act, attempt, replay).await?;
        if let Some(news) = &news {
            moved.reach = self.propagate(news).await;
        }
        Ok(Made { value: moved, replayed })
    }

    pub(crate) async fn build_promotion(
        &self,
        act: &Act,
        prompt_id: PromptId,
        wish: &Promotion,
    ) -> Result<Step<(Moved, Option<News>)>> {
        let registry = &self.registry;
        let read_at = ReadAt::now(&registry.sources);
        let prompt = registry.prompt(&act.caller, &prompt_id.to_string()).await?;
        refuse_archived(&prompt)?;
        let details = registry.version_of(&prompt, "/version_id", wish.version_id).await?;
        registry.cache.keep_version(&details.version)?;
        let now = registry.sources.now();
        let by = Mover { by: &act.caller.actor.id, at: now };
        let found = registry.store.reference(prompt.prompt_id, &wish.environment).await?;
        let before = found.unwrap_or_else(|| Ref::empty(&prompt, wish.environment.clone(), by));
        check_expected(&before, wish.expected_revision)?;
        let live = match before.version {
            Some(live) => registry.store.version(prompt.prompt_id, live.number).await?,
            None => None,
        };
        let clearance = Box::pin(self.clear(act, &prompt, &before, &details, live.as_ref(), wish)).await?;
        let ending = self.ending_of(&before, wish).await?;
        let after = before.promoted(details.version.pointer(), by);
        let mut fact = Fact::new(&act.caller.actor, Action::Promoted, details.version.version_id);
        fact.reason = wish.override_reason.clone().or_else(|| wish.reason.clone());
        fact.evidence = clearance.evidence.clone();
        if let Some(decided) = &wish.decided {
            fact.evidence = json!({ "promotion": fact.evidence, "decision": decided.evidence });
        }
        let live_sha256 = live.as_ref().map(|live| live.content_sha256.as_str());
        describe_move(&mut fact, (&before, live_sha256), (&after, &details.version.content_sha256));
        let mut change = self.promotion_change(act, &prompt, &after, &details, clearance, fact)?;
        if let Some(trial) = &ending {
            change.put_trial(trial)?;
        }
        let moved = Moved::new(&before, &after, Reach::of_table(now))
            .ok_or_else(|| Error::internal("a promotion without a version"))?;
        Ok(Step::commit(change, (moved, Some(News { reference: after, read_at }))))
    }

    /// The trial here as it is after the promotion: decided by it, or called off by an admin who passes it by.
    async fn ending_of(&self, before: &Ref, wish: &Promotion) -> Result<Option<Trial>> {
        if let Some(decided) = &wish.decided {
            return Ok(Some(decided.after.clone()));
        }
        let Some(running) = self.running(before).await? else { return Ok(None) };
        let now = self.registry.sources.now();
        let called_off = running.called_off("An admin promoted another version.", now)?;
        Ok(Some(called_off.after(&running)))
    }

    fn promotion_change(
        &self,
        act: &Act,
        prompt: &Prompt,
        after: &Ref,
        details: &VersionDetails,
        clearance: Clearance,
        fact: Fact,
    ) -> Result<Change> {
        let mut change = Change::of_prompt(prompt, prompt.clone(), fact, &self.registry.sources)?;
        change.put_ref(after)?;
        // Writing the state also insists on it: an evaluation that ends meanwhile makes the promotion look again.
        change.put_version_state(&details.state.live_in(&after.environment))?;
        if let Some(team) = clearance.judged_by {
            change.require_team_gate(&team);
        }
        if let Some(set) = clearance.passed_on {
            change.require_test_set(&set);
        }
        if let Some(mark) = &act.once {
            let entry = change.entry().audit_id;
            change.once(mark, 200, entry)?;
        }
        Ok(change)
    }
}

impl Promotion {
    /// The promotion of a canary that has stood all its stages.
    pub(crate) fn of_canary(canary: &Rollout, reason: Option<String>, after: Trial, evidence: Value) -> Self {
        Self {
            version_id: canary.canary.id,
            environment: canary.environment.clone(),
            expected_revision: None,
            reason,
            override_reason: None,
            decided: Some(Decided { after, evidence }),
        }
    }
}

/// What the audit keeps of an override.
pub(crate) fn override_evidence(refusal: &Error) -> Value {
    json!({ "override": true, "would_have_been_refused": refusal.detail() })
}

/// The kinds of refusal that an admin may pass.
pub(crate) fn may_be_overridden(refusal: &Error) -> bool {
    matches!(
        refusal.kind(),
        ErrorKind::NotEvaluated
            | ErrorKind::GateFailed
            | ErrorKind::ReviewNeeded
            | ErrorKind::EvidenceStale
            | ErrorKind::VariablesIncompatible
            | ErrorKind::StagingNeeded
            | ErrorKind::ApprovalNeeded
            | ErrorKind::ExperimentRunning
            | ErrorKind::Locked
    )
}
