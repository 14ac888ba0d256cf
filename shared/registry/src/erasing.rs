//! Deleted test sets are erased: their cases, and what models and judges said to them, for both may hold personal data.

use std::time::Duration;

use domain::{Caller, PromptId, Result, TestSetId};
use store::{PageRequest, TestSet};

use crate::{Registry, evaluation::Ending};

/// How long after the deletion what was said is erased: whoever worked on a case then is done.
const AT_WORK: Duration = Duration::from_mins(15);

/// How many prompts' runs one call looks at, so that a call is short.
const PROMPTS_A_CALL: u32 = 10;

impl Registry {
    /// Goes on erasing what was deleted. Returns how many test sets are erased now; one that fails keeps no other from
    /// being erased, and its error is returned in the end.
    pub async fn erase_deleted(&self) -> Result<usize> {
        let (mut erased, mut failed) = (0, None);
        for listed in self.store.test_sets_to_erase().await? {
            match self.erase(listed.test_set_id).await {
                Ok(done) => erased += usize::from(done),
                Err(error) => {
                    tracing::warn!(test_set = %listed.test_set_id, error = %error.chain(), "a test set is not erased");
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(erased), Err)
    }

    async fn erase(&self, set: TestSetId) -> Result<bool> {
        // The list follows the table a moment later, so the test set itself is read.
        let Some(set) = self.store.test_set(set).await?.filter(TestSet::is_to_erase) else {
            return Ok(false);
        };
        let now = self.sources.now();
        self.store.delete_objects_of(set.test_set_id).await?;
        if set.deleted_at.and_then(|at| now.since(at)).is_none_or(|age| age < AT_WORK) {
            return Ok(false);
        }
        let mut request = PageRequest::first(PROMPTS_A_CALL);
        request.cursor.clone_from(&set.erased_up_to);
        // A test set is used by prompts of its own team alone.
        let page = self.store.prompts(Some(&set.team_id), &request).await?;
        for prompt in page.data {
            self.erase_runs(prompt.prompt_id, set.test_set_id).await?;
        }
        let is_done = page.next_cursor.is_none();
        let after = TestSet {
            revision: set.revision + 1,
            erased_up_to: page.next_cursor,
            erased_at: is_done.then_some(now),
            ..set
        };
        Ok(self.store.keep_erasure(&after).await? && is_done)
    }

    /// Erases what was said in a prompt's runs over a test set; those that are open end.
    async fn erase_runs(&self, prompt: PromptId, set: TestSetId) -> Result<()> {
        let mut request = PageRequest::first(100);
        loop {
            let page = self.store.runs(prompt, &request).await?;
            for run in page.data.into_iter().filter(|run| run.test_set_id == set) {
                if run.status.is_open() {
                    let reason = "The test set was deleted before the run was done.".to_owned();
                    let caller = Caller::system("steer");
                    self.end_run(&caller, prompt, run.eval_run_id, Ending::Impossible(reason)).await?;
                }
                self.store.erase_outputs(run.eval_run_id).await?;
            }
            request.cursor = page.next_cursor;
            if request.cursor.is_none() {
                return Ok(());
            }
        }
    }
}
