//! The model catalogue: what is stored, and what this installation brings along.

use domain::{
    Error, ErrorKind, KeyRole, Result, TeamScope,
    audit::{Action, Fact},
    model::ModelEntry,
};
use store::Change;

use crate::{Act, Registry, settle::Step};

/// A model, and whether this installation brought it along.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogueModel {
    /// The model.
    pub entry: ModelEntry,
    /// Whether it is built in: a development model that cannot be changed.
    pub builtin: bool,
}

impl Registry {
    /// All models, by id.
    pub async fn list_models(&self) -> Result<Vec<CatalogueModel>> {
        let builtin = |entry: &ModelEntry| CatalogueModel { entry: entry.clone(), builtin: true };
        let mut models: Vec<_> = self.models.builtins().iter().map(builtin).collect();
        let stored = self.store.models().await?;
        models.extend(stored.into_iter().map(|entry| CatalogueModel { entry, builtin: false }));
        models.sort_by(|a, b| a.entry.model_id.cmp(&b.entry.model_id));
        Ok(models)
    }

    /// A model of the catalogue, or an error that says how to add it.
    pub async fn model(&self, model_id: &str) -> Result<ModelEntry> {
        if let Some(builtin) = self.models.builtin(model_id) {
            return Ok(builtin.clone());
        }
        self.store.model(model_id).await?.ok_or_else(|| {
            let detail = format!(
                "The model `{model_id}` is not in the catalogue. An admin adds it: PUT /api/models/{model_id} with \
                 its provider and prices."
            );
            Error::invalid("/model_id", detail)
        })
    }

    /// Sets a model of the catalogue; only an admin may.
    pub async fn set_model(&self, act: &Act, model: &ModelEntry) -> Result<CatalogueModel> {
        act.caller.require(KeyRole::Admin)?;
        self.models.validate(model)?;
        if self.models.builtin(&model.model_id).is_some() {
            let detail = format!(
                "`{}` is a development model of this installation; it cannot be changed.",
                model.model_id
            );
            return Err(Error::new(ErrorKind::Conflict, detail));
        }
        let attempt = || async {
            let before = self.store.model(&model.model_id).await?;
            let team = self.team_or_new(&TeamScope::All).await?;
            let mut fact = Fact::new(&act.caller.actor, Action::ModelSet, &model.model_id);
            fact.before = serde_json::to_value(&before).map_err(Error::internal)?;
            fact.after = serde_json::to_value(model).map_err(Error::internal)?;
            let mut change = Change::of_team(&team, team.clone(), fact, &self.sources)?;
            change.put_model(model, before.is_none())?;
            Ok(Step::commit(change, ()))
        };
        self.settle(act, attempt, |_| async { Ok(()) }).await?;
        Ok(CatalogueModel { entry: model.clone(), builtin: false })
    }
}
