//! Evaluation runs.

use domain::{EvalRun, EvalRunId, PromptId, Result, eval_run::RunStatus};
use serde::{Deserialize, Serialize};

use crate::{
    Change, Page, PageRequest, Slot, Store,
    change::Guard,
    keys::{Key, List, RUNS, prompt_partition},
    table::{attribute, text, to_item},
};

/// Where a run is found by its id.
#[derive(Serialize, Deserialize)]
struct RunPlace {
    prompt_id: PromptId,
}

impl Change {
    /// Puts a new run, and where to find it.
    pub fn put_new_run(&mut self, run: &EvalRun) -> Result<()> {
        let list = (List::Runs(run.status), run.eval_run_id.to_string());
        let key = Key::Run(run.prompt_id, run.eval_run_id);
        self.put_listed(Slot::Run, key, run, Guard::Absent, &list)?;
        let place = RunPlace { prompt_id: run.prompt_id };
        self.put(Slot::Run, Key::RunById(run.eval_run_id), &place, Guard::Absent)
    }

    /// Puts a run that ends; nobody may have written it since the one before was read.
    pub fn put_run(&mut self, run: &EvalRun) -> Result<()> {
        let list = (List::Runs(run.status), run.eval_run_id.to_string());
        let guard = Guard::before(run.revision);
        self.put_listed(Slot::Run, Key::Run(run.prompt_id, run.eval_run_id), run, guard, &list)
    }
}

impl Store {
    /// Reads a run.
    pub async fn run(&self, prompt: PromptId, run: EvalRunId) -> Result<Option<EvalRun>> {
        self.get(&Key::Run(prompt, run)).await
    }

    /// Reads a run of which only the id is known.
    pub async fn run_by_id(&self, run: EvalRunId) -> Result<Option<EvalRun>> {
        let Some(place): Option<RunPlace> = self.get(&Key::RunById(run)).await? else { return Ok(None) };
        self.run(place.prompt_id, run).await
    }

    /// Writes a run's bookkeeping (sent out, sent out again): nobody's decision, so no entry in the audit.
    ///
    /// Returns whether it took: somebody else may have written the run since it was read.
    pub async fn keep_run(&self, run: &EvalRun) -> Result<bool> {
        let mut item = to_item(&Key::Run(run.prompt_id, run.eval_run_id), run)?;
        item.insert(attribute::INDEX_PK.to_owned(), text(List::Runs(run.status).pk()));
        item.insert(attribute::INDEX_SK.to_owned(), text(run.eval_run_id.to_string()));
        self.keep(&self.names.registry, item, run, run.revision - 1).await
    }

    /// A page of a prompt's runs, newest first.
    pub async fn runs(&self, prompt: PromptId, request: &PageRequest) -> Result<Page<EvalRun>> {
        let query = self.query(&self.names.registry, prompt_partition(prompt), RUNS);
        self.page(query.scan_index_forward(false), request).await
    }

    /// A page of all runs that stand somewhere, newest first.
    pub async fn runs_that_are(&self, status: RunStatus, request: &PageRequest) -> Result<Page<EvalRun>> {
        self.page(self.query_list(&List::Runs(status)).scan_index_forward(false), request).await
    }
}
