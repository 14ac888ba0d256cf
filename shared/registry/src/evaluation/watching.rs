//! Did the prompt change, or the model? What is live and has passed is measured again every day, on the cases that it
//! passed, and compared with its own passing run.

use std::time::Duration;

use domain::{
    Caller, EvalRun, EvalStatus, Prompt, Result, VersionState,
    audit::{Action, Fact},
    eval_run::{BaselineRun, Purpose},
    money::Usd,
    name::production,
    version::Evidence,
};
use serde_json::json;
use store::{Change, PageRequest, WatchRound};

use crate::{Act, Registry, settle::Step};

/// How live versions are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// How often each is measured; zero: never.
    pub every: Duration,
    /// The most that all of it may cost in one round, by what the passing runs cost.
    pub most_usd: Usd,
}

/// How many prompts one call looks at, so that a call is short.
const PROMPTS_A_CALL: u32 = 50;

impl Registry {
    /// Goes on with the round over all prompts, or begins the next when it is due. Returns how many runs it asked for; a
    /// prompt that fails keeps no other from being watched, and its error is returned in the end.
    pub async fn watch_live(&self, watch: Watch) -> Result<usize> {
        if watch.every.is_zero() {
            return Ok(0);
        }
        let now = self.sources.now();
        let known = self.store.watch_round().await?;
        let due = |round: &WatchRound| now.since(round.began_at).is_none_or(|age| age >= watch.every);
        let mut round = match known {
            Some(round) if round.cursor.is_some() => round,
            Some(round) if !due(&round) => return Ok(0),
            _ => WatchRound { began_at: now, cursor: None, spent_usd: Usd::default() },
        };
        let mut request = PageRequest::first(PROMPTS_A_CALL);
        request.cursor = round.cursor.take();
        let page = self.store.prompts(None, &request).await?;
        let (mut asked, mut failed) = (0, None);
        for prompt in &page.data {
            match self.watch_prompt(prompt, watch, &mut round).await {
                Ok(watched) => asked += usize::from(watched),
                Err(error) => {
                    tracing::warn!(prompt = %prompt.prompt_id, error = %error.chain(), "a prompt is not watched");
                    failed.get_or_insert(error);
                }
            }
        }
        round.cursor = page.next_cursor;
        self.store.keep_watch_round(&round).await?;
        failed.map_or(Ok(asked), Err)
    }

    async fn watch_prompt(&self, prompt: &Prompt, watch: Watch, round: &mut WatchRound) -> Result<bool> {
        let Some((state, passed)) = self.to_watch(prompt, watch).await? else { return Ok(false) };
        let costs = cost_anew(&passed);
        let spent: Usd = [round.spent_usd, costs].into_iter().sum();
        if spent > watch.most_usd {
            tracing::warn!(prompt = %prompt.prompt_id, "a live version is not measured again: the round's budget is spent");
            return Ok(false);
        }
        round.spent_usd = spent;
        let caller = Caller::system("steer");
        let attempt = || async {
            let prompt = self.store.prompt(prompt.prompt_id).await?;
            let version = self.store.version(state.prompt_id, state.number).await?;
            let now = self.store.version_state(state.prompt_id, state.number).await?;
            let cases = self.store.test_set_version(passed.test_set_id, passed.test_set_version).await?;
            let (Some(prompt), Some(version), Some(cases)) = (prompt, version, cases) else {
                return Ok(Step::Done(false));
            };
            // Somebody else measures it, or decided about it: the next round comes.
            if now.as_ref() != Some(&state) {
                return Ok(Step::Done(false));
            }
            let baseline = BaselineRun { version: version.pointer(), eval_run_id: passed.eval_run_id };
            let run = EvalRun {
                baseline: Some(baseline),
                repeats: passed.repeats,
                ..self.new_run(&version, Purpose::Watch, &caller, &cases)
            };
            let mut fact = Fact::new(&caller.actor, Action::EvaluationQueued, run.eval_run_id);
            fact.after =
                json!({ "version_id": version.version_id, "purpose": run.purpose, "baseline": run.baseline });
            let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &self.sources)?;
            change.put_new_run(&run)?;
            // Two rounds at once must not both measure it.
            change.put_version_state(&state.measured_by(&run))?;
            Ok(Step::commit(change, true))
        };
        let act = Act::by(caller.clone());
        Ok(self.settle(&act, attempt, |_| async { Ok(false) }).await?.value)
    }

    /// The state of what is live, and the run that it passed with, where it is time to measure it again.
    async fn to_watch(&self, prompt: &Prompt, watch: Watch) -> Result<Option<(VersionState, EvalRun)>> {
        if prompt.archived_at.is_some() {
            return Ok(None);
        }
        let live = self.store.reference(prompt.prompt_id, &production()).await?;
        let Some(live) = live.and_then(|reference| reference.version) else { return Ok(None) };
        let state = self.store.version_state(prompt.prompt_id, live.number).await?;
        let passed =
            state.filter(|state| state.eval_status == EvalStatus::Passed && state.measuring.is_none());
        let evidence = |state: &VersionState| Some((state.evidence?, state.measured?));
        let Some((state, (evidence, measured))) =
            passed.and_then(|state| Some((state.clone(), evidence(&state)?)))
        else {
            return Ok(None);
        };
        let run = |evidence: Evidence| self.store.run(prompt.prompt_id, evidence.eval_run_id);
        let newest = run(measured).await?.and_then(|run| run.completed_at);
        let age = newest.and_then(|at| self.sources.now().since(at));
        // A run ends some time after its round began: what was measured in the last round is due in this one.
        if age.is_some_and(|age| age < watch.every / 2) {
            return Ok(None);
        }
        Ok(run(evidence).await?.map(|passed| (state, passed)))
    }
}

/// What a run costs that takes no answer from a former one.
fn cost_anew(run: &EvalRun) -> Usd {
    let Some(summary) = run.summary else { return Usd::default() };
    let calls = u64::from(run.total_cases) * u64::from(run.repeats);
    let all = summary.cost_per_case_usd.as_nanos().saturating_mul(calls);
    // The cost of a case is rounded down.
    Usd::from_nanos(all.max(summary.total_cost_usd.as_nanos()))
}
