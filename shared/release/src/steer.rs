//! What the schedule does to experiments and canaries: it looks at each that runs, and carries out what follows.
//!
//! It tries once and yields: whoever is in its way, be it a person or another call of the schedule, was first, and the
//! next minute looks again. What follows is a function of what was read, so two that look at once come to the same, and
//! the second one's write fails.

use cache::ReadAt;
use domain::{
    Alarm, Caller, ErrorKind, Ref, Result, Trial,
    audit::Action,
    experiment::{self, Experiment},
    rollout::{self, Decision, Flag, Phase, Rollout},
    trial::Weights,
};
use registry::{Act, settle::Step};
use serde_json::{Value, json};
use store::{Change, CommitError, PageRequest};

use crate::{
    Release, evidence,
    moved::News,
    promote::Promotion,
    trial::{Decided, trial_fact, weights_of},
};

impl Release {
    /// Looks at every experiment and canary that runs. Returns how many of them changed for anybody to see; one that
    /// fails keeps no other from being looked at, and its error is returned in the end.
    pub async fn steer_trials(&self) -> Result<usize> {
        let (mut changed, mut failed) = (0, None);
        let mut request = PageRequest::first(100);
        loop {
            let page = self.registry.store.active_trials(&request).await?;
            for listed in page.data {
                match Box::pin(self.steer_trial(&listed)).await {
                    Ok(did) => changed += usize::from(did),
                    Err(error) => {
                        tracing::warn!(trial = %listed.id(), error = %error.chain(), "a trial is not steered");
                        failed.get_or_insert(error);
                    }
                }
            }
            request.cursor = page.next_cursor;
            if request.cursor.is_none() {
                return failed.map_or(Ok(changed), Err);
            }
        }
    }

    async fn steer_trial(&self, listed: &Trial) -> Result<bool> {
        // The list follows the table a moment later, so the trial itself is read.
        let found = self.registry.store.trial(listed.prompt_id(), listed.id()).await?;
        let act = Act::by(Caller::system("steer"));
        match found.filter(Trial::is_active) {
            Some(Trial::Experiment(experiment)) => self.steer_experiment(&act, &experiment).await,
            Some(Trial::Rollout(rollout)) => self.steer_rollout(&act, &rollout).await,
            None => Ok(false),
        }
    }

    async fn steer_experiment(&self, act: &Act, before: &Experiment) -> Result<bool> {
        let now = self.registry.sources.now();
        let observed = self.registry.observe_experiment(before, now).await?;
        let tick = experiment::tick(before, &observed, now)?;
        let former = Trial::from(before.clone());
        let trial = Trial::from(tick.experiment.clone()).after(&former);
        let evidence = json!({
            "verdict": tick.verdict, "p_best": tick.standing.p_best.to_vec(), "effects": tick.effects.to_vec(),
            "observed": evidence::of_experiment(&observed),
        });
        let changed = match tick.action {
            experiment::Action::Hold => {
                self.note(&former, trial).await?;
                false
            }
            experiment::Action::Allocate => {
                let weights = weights_of(&trial, now, tick.verdict.reasons.clone()).map(|weights| Weights {
                    p_best: tick.standing.p_best.to_vec(),
                    effects: tick.effects.to_vec(),
                    ..weights
                });
                let (change, news) = self.reweighted(act, &trial, weights, evidence).await?;
                self.try_once(Step::commit(change, Some(news)), (&former, &trial)).await?
            }
            experiment::Action::End(winner) => {
                let winner = winner.filter(|arm| *arm > 0 && tick.experiment.settings.auto_promote);
                self.end_experiment(act, (&former, tick.experiment), winner, evidence).await?
            }
        };
        // Last, since nobody waits for it. A canary needs none of it: it has one stratum for each stage.
        if let Some(settled) = observed.settled() {
            self.registry.store.compact(former.id(), settled, now).await?;
        }
        Ok(changed)
    }

    /// Serves by other weights.
    async fn reweighted(
        &self,
        act: &Act,
        trial: &Trial,
        weights: Option<Weights>,
        evidence: Value,
    ) -> Result<(Change, News)> {
        let (prompt, reference, read_at) = self.place_of(trial).await?;
        let mut fact = trial_fact(act, Action::ExperimentReweighted, trial);
        fact.evidence = evidence;
        let reference = reference.with_allocation(trial.allocation());
        let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &self.registry.sources)?;
        change.put_ref(&reference)?;
        change.put_trial(trial)?;
        if let Some(weights) = weights {
            change.put_weights(&weights)?;
        }
        Ok((change, News { reference, read_at }))
    }

    /// Ends an experiment that is decided. A winner that may not be promoted is named all the same, and a person decides.
    async fn end_experiment(
        &self,
        act: &Act,
        (former, mut ended): (&Trial, Experiment),
        winner: Option<usize>,
        evidence: Value,
    ) -> Result<bool> {
        let place = self.place_of(former).await?;
        let (_, reference, _): &(_, Ref, ReadAt) = &place;
        if let Some(version) = winner.and_then(|arm| ended.arms.get(arm)).map(|arm| arm.version) {
            let refusal = if reference.automation_held {
                "a rollback holds automatic promotions until a person promotes again".to_owned()
            } else {
                let after = Trial::from(ended.clone()).after(former);
                let wish = Promotion {
                    version_id: version.id,
                    environment: ended.environment.clone(),
                    expected_revision: None,
                    reason: ended.verdict.as_ref().and_then(|verdict| verdict.reasons.first().cloned()),
                    override_reason: None,
                    decided: Some(Decided { after: after.clone(), evidence: evidence.clone() }),
                };
                match Box::pin(self.build_promotion(act, ended.prompt_id, &wish)).await {
                    Ok(step) => return self.try_once(step.map(|(_, news)| news), (former, &after)).await,
                    Err(error) if is_refusal(error.kind()) => error.detail().to_owned(),
                    Err(error) => return Err(error),
                }
            };
            if let Some(verdict) = &mut ended.verdict {
                let version = version.number;
                verdict.reasons.push(format!("Version {version} is not promoted by itself: {refusal}"));
            }
        }
        let trial = Trial::from(ended).after(former);
        let (prompt, reference, read_at) = place;
        let ended = (Action::ExperimentEnded, &trial);
        let (change, news) = self.end(act, (&prompt, &reference, read_at), ended, (None, evidence))?;
        self.try_once(Step::commit(change, Some(news)), (former, &trial)).await
    }

    async fn steer_rollout(&self, act: &Act, before: &Rollout) -> Result<bool> {
        let now = self.registry.sources.now();
        let former = Trial::from(before.clone());
        if before.state.phase == Phase::Watch && !self.is_watched(before).await? {
            let tick = before.superseded(now);
            let step = self.carry_out(act, before, &tick, (None, None)).await?;
            return self.try_once(step.map(|(_, news)| news), (&former, &Trial::from(tick.rollout))).await;
        }
        let observed = self.registry.observe_rollout(before, now).await?;
        let tick = rollout::tick(before, &observed, now)?;
        if matches!(tick.decision, Decision::Hold | Decision::Freeze | Decision::Stall) {
            self.note(&former, Trial::from(tick.rollout).after(&former)).await?;
            return Ok(false);
        }
        match self.carry_out(act, before, &tick, (None, Some(&observed))).await {
            Ok(step) => {
                self.try_once(step.map(|(_, news)| news), (&former, &Trial::from(tick.rollout))).await
            }
            Err(error) if is_refusal(error.kind()) => {
                // The gate may say no to the last step though it said yes to the first: then people decide.
                let mut held = before.clone();
                held.flags.insert(Flag::Stalled);
                held.reasons = vec![error.detail().to_owned()];
                self.note(&former, Trial::from(held).after(&former)).await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the promoted version is still live, with no trial beside it.
    async fn is_watched(&self, rollout: &Rollout) -> Result<bool> {
        let reference = self.registry.store.reference(rollout.prompt_id, &rollout.environment).await?;
        Ok(reference.is_some_and(|reference| {
            reference.version_id() == Some(rollout.canary.id) && reference.allocation.is_none()
        }))
    }

    /// Keeps what was seen of a trial that goes on as it was.
    async fn note(&self, former: &Trial, trial: Trial) -> Result<()> {
        if former.clone().after(former) == trial {
            return Ok(());
        }
        if self.registry.store.keep_trial(&trial).await? {
            call_people(former, &trial);
        } else {
            tracing::debug!(trial = %trial.id(), "somebody else wrote it first");
        }
        Ok(())
    }

    /// Makes a change of a trial happen if nobody is in the way, and makes it known.
    async fn try_once(&self, step: Step<Option<News>>, (former, trial): (&Trial, &Trial)) -> Result<bool> {
        let Step::Commit(change, news) = step else { return Ok(false) };
        match self.registry.store.commit(*change).await {
            Ok(()) => {
                if let Some(news) = &news {
                    self.propagate(news).await;
                }
                call_people(former, trial);
                Ok(true)
            }
            // The next minute looks at what there is then.
            Err(CommitError::Lost(_) | CommitError::Busy) => Ok(false),
            Err(CommitError::Failed(error)) => Err(error),
        }
    }
}

/// Whether an error says no, rather than that something is amiss.
fn is_refusal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotEvaluated
            | ErrorKind::GateFailed
            | ErrorKind::ReviewNeeded
            | ErrorKind::EvidenceStale
            | ErrorKind::StagingNeeded
            | ErrorKind::ApprovalNeeded
            | ErrorKind::Locked
            | ErrorKind::VariablesIncompatible
    )
}

/// People are called for what a trial says of itself for the first time. Two that steer at once may both call, and where
/// the answer to a write is lost nobody is called: the flag itself is never lost.
fn call_people(former: &Trial, trial: &Trial) {
    let [before, after] = [former, trial].map(flags);
    let new: Vec<_> = after.into_iter().filter(|flag| !before.contains(flag)).collect();
    if !new.is_empty() {
        tracing::error!(
            alarm = Alarm::TrialFlagged.name(), trial = %trial.id(), prompt = %trial.prompt_id(), flags = %json!(new),
            "an experiment or a canary needs somebody"
        );
    }
}

fn flags(trial: &Trial) -> Vec<Value> {
    match trial {
        Trial::Experiment(experiment) => experiment.flags.iter().map(|flag| json!(flag)).collect(),
        Trial::Rollout(rollout) => rollout.flags.iter().map(|flag| json!(flag)).collect(),
    }
}
