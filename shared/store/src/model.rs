//! The model catalogue.

use domain::{Result, model::ModelEntry};

use crate::{
    Change, Slot, Store,
    change::Guard,
    keys::{Key, MODELS},
};

impl Change {
    /// Sets a model. The chain's head, on which all changes of the catalogue meet, keeps them apart.
    pub fn put_model(&mut self, model: &ModelEntry, is_new: bool) -> Result<()> {
        let guard = if is_new { Guard::Absent } else { Guard::Exists };
        self.put(Slot::Model, Key::Model(model.model_id.clone()), model, guard)
    }
}

impl Store {
    /// Reads a model.
    pub async fn model(&self, model_id: &str) -> Result<Option<ModelEntry>> {
        self.get(&Key::Model(model_id.to_owned())).await
    }

    /// All models, by id.
    pub async fn models(&self) -> Result<Vec<ModelEntry>> {
        self.all(self.query(&self.names.registry, MODELS.to_owned(), "")).await
    }
}
