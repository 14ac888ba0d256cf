//! What the bench says.

use std::{
    io::{Write as _, stderr, stdout},
    time::Duration,
};

use crate::load::Measured;

/// A turn of each.
pub(crate) struct Round {
    pub(crate) bare: Measured,
    pub(crate) warm: Measured,
}

/// Writes a line, at once.
pub(crate) fn line(text: &str) {
    // Where nobody reads, nobody misses it.
    let _ = writeln!(stdout(), "{text}");
}

/// Says where a server listens, apart from its log.
pub(crate) fn say(address: &str) {
    let _ = writeln!(stderr(), "{address}");
}

/// Prints the figures beside their targets; says whether all are met.
pub(crate) fn verdict(
    rounds: &[Round],
    cold: &[Duration],
    bytes: usize,
    least_ratio: f64,
    longest_cold: Duration,
) -> bool {
    line(&format!(
        "\nbody of {bytes} bytes    requests/s      p50 µs     p99 µs   CPU µs/request   memory MiB"
    ));
    for round in rounds {
        line(&figures("bare axum", &round.bare));
        line(&figures("resolve, warm", &round.warm));
    }
    let ratio = median(rounds.iter().map(|round| round.warm.rate / round.bare.rate));
    let slowest = cold.iter().max().copied().unwrap_or_default();
    let warm_enough = ratio >= least_ratio;
    let cold_enough = slowest < longest_cold;
    line("");
    line(&format!(
        "warm: {ratio:.2} of the reference's requests/s (median of rounds); at least {least_ratio}: {}",
        word(warm_enough)
    ));
    line(&format!(
        "cold: {:.1} ms at most of {} starts with empty memory; under {} ms: {}",
        slowest.as_secs_f64() * 1000.0,
        cold.len(),
        longest_cold.as_millis(),
        word(cold_enough)
    ));
    warm_enough && cold_enough
}

fn figures(name: &str, measured: &Measured) -> String {
    format!(
        "{name:20} {:>12.0} {:>11} {:>10} {:>16.1} {:>12}",
        measured.rate,
        measured.p50.as_micros(),
        measured.p99.as_micros(),
        measured.cpu.as_secs_f64() * 1e6,
        measured.memory
    )
}

/// How a target is spoken of.
pub(crate) fn word(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
