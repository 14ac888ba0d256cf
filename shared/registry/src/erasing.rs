//! Deleted test sets are erased: their cases, and what models and judges said to them, for both may hold personal data.

use std::time::Duration;

use domain::{Caller, PromptId, Result, TestSetId, Timestamp};
use store::{PageRequest, TestSet};

use crate::{Registry, evaluation::Ending};

/// How long after the deletion what was said is erased: whoever worked on a case then is done.
const AT_WORK: Duration = Duration::from_mins(15);

/// How many runs are erased before that is noted.
const RUNS: u32 = 25;

/// How long one call goes on.
const PATIENCE: Duration = Duration::from_secs(15);

impl Registry {
    /// Goes on erasing what was deleted. Returns how many test sets are erased now; one that fails keeps no other from
    /// being erased, and its error is returned in the end.
    pub async fn erase_deleted(&self) -> Result<usize> {
        let until = self.sources.now().plus(PATIENCE);
        let (mut erased, mut failed) = (0, None);
        for listed in self.store.test_sets_to_erase().await? {
            match self.erase(listed.test_set_id, until).await {
                Ok(done) => erased += usize::from(done),
                Err(error) => {
                    tracing::warn!(test_set = %listed.test_set_id, error = %error.chain(), "a test set is not erased");
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(erased), Err)
    }

    async fn erase(&self, set: TestSetId, until: Timestamp) -> Result<bool> {
        // The list follows the table a moment later, so the test set itself is read.
        let Some(mut set) = self.store.test_set(set).await?.filter(TestSet::is_to_erase) else {
            return Ok(false);
        };
        self.store.delete_objects_of(set.test_set_id).await?;
        let begun = self.sources.now();
        if set.deleted_at.and_then(|at| begun.since(at)).is_none_or(|age| age < AT_WORK) {
            return Ok(false);
        }
        while set.erased_at.is_none() && self.sources.now() < until {
            let after = self.erase_next(set).await?;
            if !self.store.keep_erasure(&after).await? {
                return Ok(false);
            }
            set = after;
        }
        Ok(set.erased_at.is_some())
    }

    /// Erases what was said in the next runs of the next prompt. A test set is used by prompts of its own team alone.
    async fn erase_next(&self, set: TestSet) -> Result<TestSet> {
        let request = PageRequest { limit: 1, cursor: set.erased_up_to.clone() };
        let prompts = self.store.prompt_names(&set.team_id, &request).await?;
        let more_runs = match prompts.data.first() {
            Some((_, prompt)) => self.erase_runs(*prompt, &set).await?,
            None => None,
        };
        let revision = set.revision + 1;
        Ok(if more_runs.is_some() {
            TestSet { revision, erased_runs_up_to: more_runs, ..set }
        } else {
            let is_done = prompts.next_cursor.is_none();
            let erased_at = is_done.then(|| self.sources.now());
            TestSet { revision, erased_up_to: prompts.next_cursor, erased_runs_up_to: None, erased_at, ..set }
        })
    }

    /// Erases what was said in a prompt's next runs over a test set; those that are open end. Returns where it goes on.
    async fn erase_runs(&self, prompt: PromptId, set: &TestSet) -> Result<Option<String>> {
        let request = PageRequest { limit: RUNS, cursor: set.erased_runs_up_to.clone() };
        let page = self.store.runs(prompt, &request).await?;
        for run in page.data.into_iter().filter(|run| run.test_set_id == set.test_set_id) {
            if run.status.is_open() {
                let caller = Caller::system("steer");
                self.end_run(&caller, prompt, run.eval_run_id, Ending::without_cases()).await?;
            }
            self.store.erase_outputs(run.eval_run_id).await?;
        }
        Ok(page.next_cursor)
    }
}
