//! What the simulation says.

use std::io::{Write as _, stdout};

/// How far a figure may be from the table's (statistics.md §6).
const TOLERANCE: f64 = 0.03;

/// Writes a line, at once.
pub(crate) fn line(text: &str) {
    // Where nobody reads, nobody misses it.
    let _ = writeln!(stdout(), "{text}");
}

/// How far a share of so many runs is off by chance: twice its standard error.
pub(crate) fn chance(share: f64, runs: u32) -> f64 {
    2.0 * (share * (1.0 - share) / f64::from(runs)).sqrt()
}

/// Prints shares beside those of the table, and says whether all are near.
pub(crate) fn beside(name: &str, table: &[f64], found: &[f64]) -> bool {
    let figures =
        |shares: &[f64]| shares.iter().map(|share| format!("{share:>6.3}")).collect::<Vec<_>>().join(" ");
    let off = |(table, found): (&f64, &f64)| (found - table).abs();
    let most = table.iter().zip(found).map(off).fold(0.0, f64::max);
    // Two figures that are written with two digits differ by a little more than is written.
    let met = most <= TOLERANCE + 1e-9;
    line(&format!("{name:40} {}  | {}   off by {most:.3}: {}", figures(table), figures(found), word(met)));
    met
}

/// How targets are spoken of.
pub(crate) fn word(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_near_within_the_tolerance_and_not_beyond() {
        assert!(beside("near", &[0.50, 0.20], &[0.53, 0.17]));
        assert!(!beside("one is far", &[0.50, 0.20], &[0.50, 0.2301]));
        assert!(!beside("sure, and far", &[0.95], &[1.0]));
    }
}
