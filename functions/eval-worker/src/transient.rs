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
