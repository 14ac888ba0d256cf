//! Patience with providers, and with budgets.

use std::time::Duration;

/// How often a case is tried before it counts as errored.
pub(crate) const MAX_ATTEMPTS: u32 = 5;

/// The same where the provider only asked us to come back: it is well, and half of the calls may be one too many.
pub(crate) const MAX_THROTTLED: u32 = 20;

/// How long a worker waits for leave to call a model before it lets other cases go first, …
pub(crate) const BUDGET_PATIENCE: Duration = Duration::from_secs(3);

/// … or a judge: the answer that it is to judge would have to be asked for again.
pub(crate) const JUDGE_PATIENCE: Duration = Duration::from_secs(30);

/// After how long a case comes again whose model is over its budget. That is no attempt.
pub(crate) const BUDGET_PAUSE: Duration = Duration::from_secs(2);

/// How often leave is tried to be given back among other workers.
pub(crate) const GIVE_BACK_TRIES: u32 = 50;

/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_mins(1);

/// How long to wait after this attempt: what the provider asks for, else 1, 2, 4, … seconds.
pub(crate) fn delay(attempt: u32, retry_after: Option<Duration>) -> Duration {
    let doubling = Duration::from_secs(1 << attempt.saturating_sub(1).min(6));
    retry_after.unwrap_or(doubling).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

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
