//! What experiments and canaries have in common: an environment that one may begin in, and its end.

use cache::ReadAt;
use domain::{
    Caller, Environment, Error, ErrorKind, KeyRole, Prompt, Ref, Result, Team, Timestamp, Trial, Version,
    audit::{Action, Fact},
    gate::GatePolicy,
    trial::{TrialId, Weights},
};
use registry::{Act, version::refuse_archived};
use serde_json::{Value, json};
use store::Change;

use crate::{Release, gatekeeper::check_lock, moved::News, not_live};

/// What a trial decided, for the promotion that carries it out.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The trial after it.
    pub after: Trial,
    /// What it rests on, for the audit.
    pub evidence: Value,
}

/// An environment in which a trial may begin.
pub(crate) struct Field {
    pub(crate) prompt: Prompt,
    pub(crate) before: Ref,
    /// From before it was read.
    pub(crate) read_at: ReadAt,
    pub(crate) live: Version,
    pub(crate) gate: GatePolicy,
    /// The team whose gate is the measure.
    pub(crate) judged_by: Option<Team>,
}

impl Release {
    /// The trial that splits the traffic of a ref.
    pub(crate) async fn running(&self, reference: &Ref) -> Result<Option<Trial>> {
        let Some(allocation) = &reference.allocation else { return Ok(None) };
        let trial = self.registry.store.trial(reference.prompt_id, allocation.trial).await?;
        let missing = || Error::internal(format!("{} splits the traffic and is missing", allocation.trial));
        Ok(Some(trial.ok_or_else(missing)?))
    }

    /// Those of several refs.
    pub(crate) async fn all_running(&self, references: &[Ref]) -> Result<Vec<Trial>> {
        let mut running = Vec::new();
        for reference in references {
            running.extend(self.running(reference).await?);
        }
        Ok(running)
    }

    /// An environment in which nothing stands against a trial: something is live there, no other trial splits its
    /// traffic, and no lock holds it.
    pub(crate) async fn field(
        &self,
        caller: &Caller,
        address: &str,
        environment: &Environment,
    ) -> Result<Field> {
        caller.require(KeyRole::Releaser)?;
        let registry = &self.registry;
        let read_at = ReadAt::now(&registry.sources);
        let prompt = registry.prompt(caller, address).await?;
        refuse_archived(&prompt)?;
        let before = registry.store.reference(prompt.prompt_id, environment).await?;
        let before = before.ok_or_else(|| not_live(&prompt, environment))?;
        let live = before.version.ok_or_else(|| not_live(&prompt, environment))?;
        if let Some(running) = &before.allocation {
            return Err(running_already(&before, running.trial));
        }
        check_lock(&before, registry.sources.now())?;
        let live = registry.store.version(prompt.prompt_id, live.number).await?;
        let live = live.ok_or_else(|| Error::internal("what is live is missing"))?;
        let (gate, team) = registry.gate_of(&prompt).await?;
        let judged_by = team.filter(|_| prompt.gate.is_none());
        Ok(Field { prompt, before, read_at, live, gate, judged_by })
    }

    /// The change that begins a trial, under the conditions that it was admitted by.
    pub(crate) fn begin(&self, act: &Act, field: &Field, trial: &Trial, fact: Fact) -> Result<(Change, Ref)> {
        let after = field.before.with_allocation(trial.allocation());
        let mut change =
            Change::of_prompt(&field.prompt, field.prompt.clone(), fact, &self.registry.sources)?;
        change.put_ref(&after)?;
        change.put_new_trial(trial)?;
        let begun = vec!["it began".to_owned()];
        if let Some(weights) = weights_of(trial, self.registry.sources.now(), begun) {
            change.put_weights(&weights)?;
        }
        if let Some(team) = &field.judged_by {
            change.require_team_gate(team);
        }
        if let Some(mark) = &act.once {
            change.once(mark, 201, trial.id())?;
        }
        Ok((change, after))
    }

    /// The change after which the control alone is served, with the trial as it is from then on.
    pub(crate) fn end(
        &self,
        act: &Act,
        (prompt, before, read_at): (&Prompt, &Ref, ReadAt),
        (action, trial): (Action, &Trial),
        (reason, evidence): (Option<String>, Value),
    ) -> Result<(Change, News)> {
        let mut fact = trial_fact(act, action, trial);
        fact.reason = reason;
        fact.evidence = evidence;
        let after = before.with_allocation(None);
        let mut change = Change::of_prompt(prompt, prompt.clone(), fact, &self.registry.sources)?;
        change.put_ref(&after)?;
        change.put_trial(trial)?;
        Ok((change, News { reference: after, read_at }))
    }

    /// The ref of a trial with its prompt, as they are.
    pub(crate) async fn place_of(&self, trial: &Trial) -> Result<(Prompt, Ref, ReadAt)> {
        let registry = &self.registry;
        let read_at = ReadAt::now(&registry.sources);
        let (prompt, reference) = tokio::try_join!(
            registry.store.prompt(trial.prompt_id()),
            registry.store.reference(trial.prompt_id(), trial.environment())
        )?;
        let missing = || Error::internal(format!("the prompt or the ref of {} is missing", trial.id()));
        Ok((prompt.ok_or_else(missing)?, reference.ok_or_else(missing)?, read_at))
    }
}

/// A fact about a trial.
pub(crate) fn trial_fact(act: &Act, action: Action, trial: &Trial) -> Fact {
    let mut fact = Fact::new(&act.caller.actor, action, trial.id());
    fact.environment = Some(trial.environment().clone());
    fact.after = match trial {
        Trial::Experiment(experiment) => json!({
            "status": experiment.status, "outcome": experiment.outcome, "flags": experiment.flags,
            "winner_version_id": experiment.winner_version_id, "weights": experiment.state.weights,
            "allocation_version": experiment.state.allocation_version, "arms": experiment.arms,
        }),
        Trial::Rollout(rollout) => json!({
            "status": rollout.status, "phase": rollout.state.phase, "flags": rollout.flags,
            "share": rollout.share(), "allocation_version": rollout.state.allocation_version,
            "control": rollout.control, "canary": rollout.canary,
        }),
    };
    fact
}

/// The weights that a trial has now, as its history keeps them; `None` where it splits nothing.
pub(crate) fn weights_of(trial: &Trial, at: Timestamp, reasons: Vec<String>) -> Option<Weights> {
    let allocation = trial.allocation()?;
    Some(Weights {
        trial: allocation.trial,
        allocation_version: allocation.allocation_version,
        at,
        keys: allocation.arms.iter().map(|arm| arm.key.clone()).collect(),
        weights: allocation.arms.iter().map(|arm| arm.weight).collect(),
        p_best: Vec::new(),
        effects: Vec::new(),
        reasons,
    })
}

/// The refusal of whoever finds a trial in the way.
pub(crate) fn running_already(before: &Ref, trial: TrialId) -> Error {
    let (what, end) = match trial {
        TrialId::Experiment(_) => ("experiment", format!("POST /api/experiments/{trial}/stop")),
        TrialId::Rollout(_) => ("canary", format!("POST /api/rollouts/{trial}/abort")),
    };
    let detail = format!(
        "The {what} {trial} splits the traffic of `{}`. Wait for its end, or end it first: {end}",
        before.environment
    );
    Error::new(ErrorKind::ExperimentRunning, detail).fact("experiment_id", trial.to_string())
}
