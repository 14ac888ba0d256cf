//! Versions and models: how each version did on each model, on the prompt's own test set.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use domain::{Caller, EvalRun, Result, eval_run::RunStatus};
use store::PageRequest;

use crate::Registry;

/// How many of a prompt's runs are looked at, newest first.
const RUNS: usize = 1_000;

/// Completed runs by version number and model: the newest with a verdict, or the newest where none has one.
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    /// All models, by id.
    pub models: BTreeSet<String>,
    /// For each version, newest first, its runs by model.
    pub versions: Vec<BTreeMap<String, EvalRun>>,
}

impl Registry {
    /// How a prompt's versions did on models, on the prompt's test set.
    pub async fn matrix(&self, caller: &Caller, address: &str) -> Result<Matrix> {
        let prompt = self.prompt(caller, address).await?;
        let (mut rows, mut looked_at) = (BTreeMap::<u32, BTreeMap<String, EvalRun>>::new(), 0);
        let mut request = PageRequest::first(100);
        loop {
            let page = self.store.runs(prompt.prompt_id, &request).await?;
            looked_at += page.data.len();
            let own = |run: &EvalRun| {
                run.status == RunStatus::Completed && Some(run.test_set_id) == prompt.test_set_id
            };
            for run in page.data.into_iter().filter(own) {
                let row = rows.entry(run.version.number).or_default();
                match row.entry(run.model_id.clone()) {
                    Entry::Vacant(place) => {
                        place.insert(run);
                    }
                    // A run that only measured hides no verdict.
                    Entry::Occupied(mut known) => {
                        if known.get().gate_result.is_none() && run.gate_result.is_some() {
                            known.insert(run);
                        }
                    }
                }
            }
            request.cursor = page.next_cursor;
            if request.cursor.is_none() || looked_at >= RUNS {
                break;
            }
        }
        let models = rows.values().flat_map(|row| row.keys().cloned()).collect();
        Ok(Matrix { models, versions: rows.into_values().rev().collect() })
    }
}
