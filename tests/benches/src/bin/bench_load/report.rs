//! What the load says.

use std::time::Duration;

use benches::figures::{ms, rank};
use e2e::report::line;

use crate::arrivals::Outcomes;

/// The heading of [`row`].
pub(crate) fn heading() {
    line(&format!(
        "\n{:<26} {:>9} {:>7} {:>6}   {:>8} {:>8} {:>8} {:>8}",
        "", "answered", "failed", "wrong", "p50 ms", "p99 ms", "p99.9 ms", "most ms"
    ));
}

/// What became of a load; its 99th percentile.
pub(crate) fn row(what: &str, outcomes: &Outcomes) -> Duration {
    let at = |share| rank(outcomes.latencies.iter().copied(), share);
    let (p50, p99, p999, most) = (at(0.5), at(0.99), at(0.999), at(1.0));
    line(&format!(
        "{what:<26} {:>9} {:>7} {:>6}   {:>8} {:>8} {:>8} {:>8}",
        outcomes.latencies.len(),
        outcomes.failed,
        outcomes.wrong,
        ms(p50),
        ms(p99),
        ms(p999),
        ms(most)
    ));
    if let Some(failure) = &outcomes.failure {
        line(&format!("  the first failure: {failure}"));
    }
    p99
}

/// How many answers took up to each power of two.
pub(crate) fn histogram(outcomes: &Outcomes) {
    let mut upper = Duration::from_micros(64);
    let mut below = 0;
    let all = outcomes.latencies.len();
    while below < all {
        let counted = outcomes.latencies.iter().filter(|latency| **latency <= upper).count();
        if counted > below {
            let bar = "▇".repeat((60 * (counted - below)).div_ceil(all.max(1)));
            line(&format!("  ≤ {:>9} ms {:>8} {bar}", ms(upper), counted - below));
        }
        below = counted;
        upper *= 2;
    }
}
