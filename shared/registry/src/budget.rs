//! Calls within the budget of a model, which all share who call it.

use std::time::Duration;

use domain::{Result, budget::Limits, model::ModelEntry};

use crate::Registry;

/// How often leave is tried to be given back among others.
const GIVE_BACK_TRIES: u32 = 50;

/// Leave to call a model, where it has a budget: its id and the holder's name.
#[derive(Debug)]
#[must_use = "others wait for it"]
pub struct Leave(Option<(String, String)>);

impl Registry {
    /// Leave for one call of a model; `None` when there was none for so long.
    pub async fn leave(&self, model: &ModelEntry, patience: Duration) -> Result<Option<Leave>> {
        let Some(limits) = Limits::of(model) else { return Ok(Some(Leave(None))) };
        let (store, sources) = (&self.store, &self.sources);
        let holder = hex::encode(sources.bytes::<8>());
        let until = tokio::time::Instant::now() + patience;
        loop {
            let budget = store.budget(&model.model_id).await?;
            let wait = match budget.take(limits, &holder, sources.now()) {
                Ok(taken) if store.keep_budget(&model.model_id, &taken).await? => {
                    return Ok(Some(Leave(Some((model.model_id.clone(), holder)))));
                }
                // Somebody else was first.
                Ok(_) => Duration::ZERO,
                Err(wait) => wait,
            };
            let wait = wait + sources.jitter(Duration::from_millis(1), Duration::from_millis(40));
            if tokio::time::Instant::now() + wait >= until {
                return Ok(None);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Gives leave back. Should that fail, it lapses.
    pub async fn return_leave(&self, leave: Leave) {
        let Some((model_id, holder)) = leave.0 else { return };
        for _ in 0..GIVE_BACK_TRIES {
            let done = match self.store.budget(&model_id).await {
                Ok(budget) => self.store.keep_budget(&model_id, &budget.give_back(&holder)).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(model = model_id, error = %error.chain(), "a lease is left to lapse");
                    return;
                }
            }
        }
    }
}
