//! Patience with providers, and with budgets.

use std::time::Duration;

use domain::eval_run::CaseMessage;

/// How often a provider may give no answer before a case counts as errored.
pub(crate) const MAX_ATTEMPTS: u32 = 5;

/// The same where the provider only asked us to come back: it is well, and half of the calls may be one too many.
pub(crate) const MAX_THROTTLED: u32 = 20;

/// How long models and judges may take over a case, all together: so much less than a worker lives that what they
/// said until then can be kept.
pub(crate) const CASE_TIME: Duration = Duration::from_secs(150);

/// How long a worker waits for leave to call a model before it lets other cases go first.
pub(crate) const BUDGET_PATIENCE: Duration = Duration::from_secs(3);

/// After how long a case comes again whose model is over its budget. That is no attempt.
pub(crate) const BUDGET_PAUSE: Duration = Duration::from_secs(2);

/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_mins(1);

/// Whether the same call may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// The provider asks us to come back.
    Asked,
    /// It gave no answer, or none that can be used.
    Perhaps,
    /// It will answer the same.
    Never,
}

/// The message of the next try; `None` when there were enough.
pub(crate) fn next(message: &CaseMessage, again: Again) -> Option<CaseMessage> {
    let failures = message.failures + u32::from(again == Again::Perhaps);
    let enough = match again {
        Again::Asked => message.attempt >= MAX_THROTTLED,
        Again::Perhaps => failures >= MAX_ATTEMPTS,
        Again::Never => true,
    };
    (!enough).then_some(CaseMessage { attempt: message.attempt + 1, failures, ..*message })
}

/// How long to wait after this attempt: what the provider asks for, else 1, 2, 4, … seconds.
pub(crate) fn delay(attempt: u32, retry_after: Option<Duration>) -> Duration {
    let doubling = Duration::from_secs(1 << attempt.saturating_sub(1).min(6));
    retry_after.unwrap_or(doubling).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn being_asked_for_patience_uses_up_none_of_the_tries() {
        let id = domain::PromptId::from_bytes([1; 16]);
        let run = domain::EvalRunId::from_bytes([2; 16]);
        let first = CaseMessage {
            prompt_id: id,
            eval_run_id: run,
            number: 1,
            offset: 0,
            length: 1,
            attempt: 1,
            failures: 0,
        };
        let after = |again, times: u32| {
            (0..times).try_fold(first, |message, _| next(&message, again)).map(|message| message.attempt)
        };
        assert_eq!((after(Again::Asked, 19), after(Again::Asked, 20)), (Some(20), None));
        assert_eq!((after(Again::Perhaps, 4), after(Again::Perhaps, 5)), (Some(5), None));
        assert_eq!(after(Again::Never, 1), None);
        let asked_often = CaseMessage { attempt: 18, ..first };
        assert_eq!(next(&asked_often, Again::Perhaps).unwrap().failures, 1);
    }

    #[test]
    fn waits_double_up_to_a_minute() {
        let waits: Vec<u64> = (1..=9).map(|attempt| delay(attempt, None).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(delay(u32::MAX, None), LONGEST);
    }

    #[test]
    fn what_the_provider_asks_for_counts_up_to_a_minute() {
        let wait = |retry_after| delay(3, Some(retry_after)).as_secs();
        assert_eq!(wait(Duration::ZERO), 0);
        assert_eq!(wait(Duration::from_secs(7)), 7);
        assert_eq!(wait(Duration::from_hours(1)), 60);
    }
}
