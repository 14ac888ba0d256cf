//! Refs.

use domain::{Environment, PromptId, Ref, Result};

use crate::{
    Change, Slot, Store,
    change::Guard,
    keys::{Key, REFS, prompt_partition},
};

impl Change {
    /// Puts a ref; nobody may have written it since the one before was read.
    pub fn put_ref(&mut self, reference: &Ref) -> Result<()> {
        let key = Key::Ref(reference.prompt_id, reference.environment.clone());
        self.put(Slot::Ref, key, reference, Guard::before(reference.revision))
    }
}

impl Store {
    /// Reads a ref.
    pub async fn reference(&self, prompt: PromptId, environment: &Environment) -> Result<Option<Ref>> {
        self.get(&Key::Ref(prompt, environment.clone())).await
    }

    /// All refs of a prompt.
    pub async fn references(&self, prompt: PromptId) -> Result<Vec<Ref>> {
        self.all(self.query(&self.names.registry, prompt_partition(prompt), REFS)).await
    }
}
