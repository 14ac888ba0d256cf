//! Patience with providers.

use std::time::Duration;

use models::CallError;

/// How often a case is tried before it counts as errored.
pub(crate) const MAX_ATTEMPTS: u32 = 5;

/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_mins(1);

/// How long to wait after this attempt: what the provider asks for, else 1, 2, 4, … seconds.
pub(crate) fn delay(attempt: u32, error: &CallError) -> Duration {
    let asked = match error {
        CallError::Throttled { retry_after, .. } => *retry_after,
        _ => None,
    };
    let doubling = Duration::from_secs(1 << attempt.saturating_sub(1).min(6));
    asked.unwrap_or(doubling).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let down = CallError::Unavailable { reason: "status 503".to_owned(), source: None };
        let waits: Vec<u64> = (1..=9).map(|attempt| delay(attempt, &down).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(delay(u32::MAX, &down), LONGEST);
    }

    #[test]
    fn what_the_provider_asks_for_counts_up_to_a_minute() {
        let wait = |retry_after| delay(3, &CallError::Throttled { retry_after }).as_secs();
        assert_eq!(wait(None), 4);
        assert_eq!(wait(Some(Duration::ZERO)), 0);
        assert_eq!(wait(Some(Duration::from_secs(7))), 7);
        assert_eq!(wait(Some(Duration::from_hours(1))), 60);
    }
}
