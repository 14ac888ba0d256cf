//! What the bench says.

use std::time::Duration;

pub(crate) use benches::figures::{median, ms, rank};
use benches::load::Measured;
pub(crate) use e2e::report::{line, target, word};

/// A turn of each, with their names.
pub(crate) struct Round {
    pub(crate) reference: (&'static str, Measured),
    pub(crate) platform: (&'static str, Measured),
}

/// What the platform is to reach.
pub(crate) struct Target {
    /// The least share of the reference's requests per second.
    pub(crate) ratio: f64,
    /// The longest 99th percentile.
    pub(crate) p99: Option<Duration>,
}

/// Prints the figures of all rounds.
pub(crate) fn figures(bytes: usize, rounds: &[Round]) {
    line(&format!(
        "\nbody of {bytes} bytes    requests/s      p50 µs     p99 µs   CPU µs/request     most MiB"
    ));
    for (name, measured) in rounds.iter().flat_map(|round| [&round.reference, &round.platform]) {
        line(&format!(
            "{name:20} {:>12.0} {:>11} {:>10} {:>16.1} {:>12}",
            measured.rate,
            measured.p50.as_micros(),
            measured.p99.as_micros(),
            measured.cpu.as_secs_f64() * 1e6,
            measured.memory
        ));
    }
    line("");
}

/// Prints the figures beside their targets, the medians of the rounds; says whether all are met.
pub(crate) fn verdict(source: &str, bytes: usize, rounds: &[Round], wanted: Target) -> bool {
    figures(bytes, rounds);
    let ratio = median(rounds.iter().map(|round| round.platform.1.rate / round.reference.1.rate));
    let share = format!("{source}: {ratio:.2} of the reference's requests/s");
    let fast = target(&share, &format!("at least {}", wanted.ratio), ratio >= wanted.ratio);
    let Some(most) = wanted.p99 else { return fast };
    let p99 = median(rounds.iter().map(|round| round.platform.1.p99));
    let short =
        target(&format!("{source}: p99 {} ms", ms(p99)), &format!("under {} ms", ms(most)), p99 < most);
    fast && short
}
