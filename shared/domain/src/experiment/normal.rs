//! The normal distribution and the χ² distribution.

use std::f64::consts::{LN_2, PI, SQRT_2};

/// Below this, Φ is too small to be a number whose logarithm could be taken.
const FAR: f64 = -30.0;

/// φ(z), the density.
pub fn pdf(z: f64) -> f64 {
    libm::exp(ln_pdf(z))
}

fn ln_pdf(z: f64) -> f64 {
    -0.5 * (z * z + libm::log(2.0 * PI))
}

/// Φ(z), the share below `z`.
pub fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// ln Φ(z), exact in both tails: far below, by the asymptotic series `Φ(z) ~ φ(z)/|z|·(1 − 1/z² + 3/z⁴ −
/// 15/z⁶)`.
pub fn ln_cdf(z: f64) -> f64 {
    if z > 0.0 {
        libm::log1p(-cdf(-z))
    } else if z > FAR {
        libm::log(libm::erfc(-z / SQRT_2)) - LN_2
    } else {
        let w = 1.0 / (z * z);
        ln_pdf(z) - libm::log(-z) + libm::log1p(-w * (1.0 - w * (3.0 - w * 15.0)))
    }
}

/// The share of the χ² distribution with `df` ≥ 1 degrees of freedom above `x` ≥ 0, by
/// `Q(k + 2) = Q(k) + (x/2)^(k/2)·e^(−x/2) / Γ(k/2 + 1)` from `Q(1) = erfc(√(x/2))` or `Q(2) = e^(−x/2)`.
pub fn chi_squared_tail(x: f64, df: u32) -> f64 {
    let half = x / 2.0;
    if half <= 0.0 {
        return 1.0;
    }
    let odd = df % 2 == 1;
    let first = if odd { libm::erfc(libm::sqrt(half)) } else { libm::exp(-half) };
    let step = |k: u32| {
        let power = f64::from(k) / 2.0;
        libm::exp(power * libm::log(half) - half - libm::lgamma(power + 1.0))
    };
    let rest: f64 = (if odd { 1 } else { 2 }..df).step_by(2).map(step).sum();
    (first + rest).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, golden: f64) {
        assert!((found - golden).abs() <= 1e-9 * golden.abs().max(1e-300), "{found:e} is not {golden:e}");
    }

    #[test]
    fn the_normal_distribution_is_the_tabled_one() {
        near(pdf(0.0), 0.398_942_280_401_432_7);
        near(pdf(-2.5), 0.017_528_300_493_568_54);
        near(cdf(1.959_963_984_540_054), 0.975);
        near(cdf(-6.0), 9.865_876_450_376_98e-10);
        near(cdf(0.0), 0.5);
    }

    #[test]
    fn the_logarithm_is_finite_and_right_in_the_far_tails() {
        near(ln_cdf(0.0), -std::f64::consts::LN_2);
        near(ln_cdf(-10.0), -53.231_285_151_248_01);
        near(ln_cdf(-40.0), -804.608_442_013_753_8);
        near(ln_cdf(6.0), -9.865_876_455_243_757e-10);
        assert!(ln_cdf(-1e9).is_finite() && ln_cdf(1e9) == 0.0);
    }

    #[test]
    fn the_two_ways_to_the_logarithm_meet() {
        let (near_by, far) = (ln_cdf(FAR.next_up()), ln_cdf(FAR));
        assert!((near_by - far).abs() < 1e-9, "{near_by} {far}");
    }

    #[test]
    fn the_tail_of_chi_squared_is_the_golden_one() {
        near(chi_squared_tail(8.0, 1), 0.004_677_734_981_047_266);
        near(chi_squared_tail(3.84, 1), 2.0 * cdf(-3.84_f64.sqrt()));
        near(chi_squared_tail(5.0, 2), (-2.5_f64).exp());
        near(chi_squared_tail(16.918_977_604_620_45, 9), 0.05);
        near(chi_squared_tail(18.307_038_053_275_146, 10), 0.05);
        near(chi_squared_tail(0.0, 3), 1.0);
        assert!(chi_squared_tail(1e6, 9) == 0.0);
    }
}
