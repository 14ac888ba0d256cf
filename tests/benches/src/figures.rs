//! Figures of many measurements.

use std::time::Duration;

/// In milliseconds, to the hundredth.
pub fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

/// The middle one; the default of none.
pub fn median<T: PartialOrd + Copy + Default>(values: impl Iterator<Item = T>) -> T {
    rank(values, 0.5)
}

/// The one below which this share of all is.
pub fn rank<T: PartialOrd + Copy + Default>(values: impl Iterator<Item = T>, share: f64) -> T {
    let mut sorted: Vec<T> = values.collect();
    sorted.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank"
    )]
    let rank = (sorted.len() as f64 * share) as usize;
    sorted.get(rank.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}
