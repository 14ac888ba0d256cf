//! Overrides: settings of one environment that stand instead of those of the version that is live there.

use cache::ReadAt;
use domain::{
    Environment, Error, ErrorKind, Ref, Result, Version,
    audit::{Action, Fact},
    gate::GateMode,
    reference::Overrides,
};
use registry::{Act, settle::Step, version::refuse_archived};
use serde_json::json;
use store::Change;

use crate::{Release, moved::News, not_live, require_mover};

impl Release {
    /// Sets all overrides of an environment; those that are left out go. They last until the next move. Another model
    /// is taken only where the version has passed on it, unless nothing is asked of versions here.
    pub async fn set_overrides(
        &self,
        act: &Act,
        address: &str,
        environment: &Environment,
        overrides: &Overrides,
    ) -> Result<Ref> {
        require_mover(&act.caller, environment)?;
        check(overrides)?;
        let registry = &self.registry;
        let attempt = || async {
            let read_at = ReadAt::now(&registry.sources);
            let prompt = registry.prompt(&act.caller, address).await?;
            refuse_archived(&prompt)?;
            let before = registry.store.reference(prompt.prompt_id, environment).await?;
            let before = before.ok_or_else(|| not_live(&prompt, environment))?;
            let live = before.version.ok_or_else(|| not_live(&prompt, environment))?;
            let details = registry.version_of(&prompt, "/version_id", live.id).await?;
            let (gate, team) = registry.gate_of(&prompt).await?;
            let asked = environment.is_production() && gate.mode == GateMode::Required;
            let model =
                overrides.model_id.as_ref().filter(|model| **model != details.version.content.model_id);
            if let Some(model) = model {
                registry.model(model).await?;
                if asked && !details.state.models_passed.contains_key(model) {
                    return Err(not_passed(&details.version, model));
                }
            }
            if before.overrides == *overrides {
                return Ok(Step::Done(News { reference: before, read_at }));
            }
            let after = before.with_overrides(overrides.clone());
            let mut fact = Fact::new(&act.caller.actor, Action::OverridesSet, prompt.prompt_id);
            fact.environment = Some(environment.clone());
            fact.before = json!({ "overrides": before.overrides, "revision": before.revision });
            fact.after =
                json!({ "overrides": after.overrides, "revision": after.revision, "version_id": live.id });
            fact.evidence = json!({
                "eval_run_id": model.and_then(|model| details.state.models_passed.get(model)), "gate": gate,
            });
            let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &registry.sources)?;
            change.put_ref(&after)?;
            // An evaluation that ends meanwhile, or a gate that is closed, makes this look again.
            change.require_version_state(&details.state);
            if let (None, Some(team)) = (&prompt.gate, &team) {
                change.require_team_gate(team);
            }
            Ok(Step::commit(change, News { reference: after, read_at }))
        };
        self.settle_ref(act, attempt).await
    }
}

fn check(overrides: &Overrides) -> Result<()> {
    if overrides.temperature.is_some_and(|temperature| !(0.0..=2.0).contains(&temperature)) {
        return Err(Error::invalid("/temperature", "temperature lies between 0 and 2."));
    }
    if overrides.max_tokens == Some(0) {
        return Err(Error::invalid("/max_tokens", "max_tokens is at least 1."));
    }
    Ok(())
}

fn not_passed(version: &Version, model: &str) -> Error {
    let id = version.version_id;
    let detail = format!(
        "Version {} has not passed on `{model}`. Evaluate it there: POST /api/versions/{id}/evals with \
         {{\"model_id\": \"{model}\"}}.",
        version.number
    );
    Error::new(ErrorKind::NotEvaluated, detail).at("/model_id", "the version has not passed on this model")
}
