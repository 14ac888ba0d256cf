//! How sure a difference between two arms is (statistics.md §4), however often one looks.
//!
//! The e-value is a bet against «this arm is not better»: it grows on average only if the arm is better, and
//! if it is not, it ever reaches 1/α with a probability of at most α. It depends on the data only through
//! differences within strata, so weights that follow the data do it no harm.

use super::{estimate::Contrast, normal};

/// The evidence that decides at any time: 1/.025, which leaves .025 of the 5 % to the look at the planned
/// end.
pub const ENOUGH: f64 = 40.0;

/// τ of an experiment in units of σ: the size of the effects that the bet is on.
pub const EXPERIMENT_TAU: f64 = 0.15;

/// τ of a canary's means in units of σ: it is after large harm, and soon.
pub const CANARY_TAU: f64 = 0.5;

/// The one-sided 95 % point of the normal distribution.
const Z_ONE_SIDED: f64 = 1.645;

/// The logarithm of e⁺, the evidence that `contrast` is above 0. `tau` is in the contrast's unit.
pub fn ln_e(contrast: Contrast, tau: f64) -> f64 {
    let Contrast { delta, variance } = contrast;
    let (total, tau_squared) = (variance + tau * tau, tau * tau);
    let slope = delta * tau / (variance * total).sqrt();
    0.5 * libm::log(variance / total)
        + delta * delta * tau_squared / (2.0 * variance * total)
        + std::f64::consts::LN_2
        + normal::ln_cdf(slope)
}

/// e⁺ itself, never infinite.
pub fn e_value(ln_e: f64) -> f64 {
    libm::exp(ln_e.min(700.0))
}

/// The lower bound of a difference that holds however often one looks: the lowest δ0 with `e⁺(δ̂ − δ0)` below
/// [`ENOUGH`]. What was observed when a trial stopped is likely overstated; this is not.
pub fn lower_bound(contrast: Contrast, tau: f64) -> f64 {
    let enough = libm::log(ENOUGH);
    let proves = |delta: f64| ln_e(Contrast { delta, ..contrast }, tau) >= enough;
    // e⁺ grows with the difference. The error's size is where to start, and doubling it goes fast.
    let mut high = contrast.variance.sqrt();
    while !proves(high) && high.is_finite() {
        high *= 2.0;
    }
    let mut low = 0.0;
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if proves(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    contrast.delta - high
}

/// How much is lost on average by choosing the arm that is `contrast` above the other: the other may be
/// better for all that. `s[φ(z) − z(1 − Φ(z))]`.
pub fn expected_loss(contrast: Contrast) -> f64 {
    let z = contrast.z();
    contrast.variance.sqrt() * (normal::pdf(z) - z * normal::cdf(-z)).max(0.0)
}

/// How far the other arm may be above the leader, in 19 of 20 cases.
pub fn value_remaining(leader: Contrast) -> f64 {
    (Z_ONE_SIDED * leader.variance.sqrt() - leader.delta.abs()).max(0.0)
}

#[cfg(test)]
mod tests;
