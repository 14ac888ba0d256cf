//! The measures behind the gate (statistics.md §6), each a pure function of counts or of paired differences.

/// The two-sided 95 % point of the normal distribution.
const Z_TWO_SIDED: f64 = 1.96;

/// The one-sided 95 % point of the normal distribution: the 1.645 of statistics.md, whose golden vectors have it exact.
pub const Z_ONE_SIDED: f64 = 1.644_853_626_951_472_2;

/// The one-sided 90 % point of the normal distribution.
pub const Z_ONE_SIDED_90: f64 = 1.281_551_565_544_600_4;

/// The 95 % Wilson score interval of a share.
pub fn wilson(passed: u32, total: u32) -> (f64, f64) {
    const Z: f64 = Z_TWO_SIDED;
    if total == 0 {
        return (0.0, 1.0);
    }
    let n = f64::from(total);
    let p = f64::from(passed) / n;
    let scale = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// The exact one-sided `McNemar` test of a regression: how likely at least `regressed` of the discordant pairs would
/// be regressions if each were one by the toss of a coin. 1 where no pair is discordant.
pub fn mcnemar(regressed: u32, improved: u32) -> f64 {
    let n = f64::from(regressed + improved);
    let ln_factorial = |k: f64| libm::lgamma(k + 1.0);
    let at_least = (regressed..=regressed + improved).map(|k| {
        let k = f64::from(k);
        (ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k) - n * std::f64::consts::LN_2).exp()
    });
    at_least.sum::<f64>().min(1.0)
}

/// The lower end of the one-sided 95 % Bonett–Price interval of the difference of two paired shares, candidate
/// minus baseline.
pub fn bonett_price(regressed: u32, improved: u32, pairs: u32) -> f64 {
    bonett_price_at(Z_ONE_SIDED, regressed, improved, pairs)
}

/// The same at another point of the normal distribution.
pub fn bonett_price_at(z: f64, regressed: u32, improved: u32, pairs: u32) -> f64 {
    let n = f64::from(pairs) + 2.0;
    let (lost, won) = ((f64::from(regressed) + 1.0) / n, (f64::from(improved) + 1.0) / n);
    let difference = won - lost;
    difference - z * ((lost + won - difference * difference) / n).sqrt()
}

/// Paired differences, summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Their mean.
    pub mean: f64,
    /// The standard error of the mean; 0 where they are all alike.
    pub standard_error: f64,
}

impl Paired {
    /// Of at least two differences: one says nothing about how much they differ.
    pub fn of(differences: &[f64]) -> Option<Self> {
        if differences.len() < 2 {
            return None;
        }
        // Exact for any number of cases that a test set may have.
        let n = f64::from(u32::try_from(differences.len()).ok()?);
        let mean = differences.iter().sum::<f64>() / n;
        let squares: f64 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
        let standard_error = (squares / (n - 1.0) / n).sqrt();
        Some(Self { mean, standard_error })
    }

    /// How many standard errors the mean is away from 0. Without any spread, any difference is infinitely many.
    pub fn t(&self) -> f64 {
        if self.mean == 0.0 { 0.0 } else { self.mean / self.standard_error }
    }

    /// How likely a mean this low would be if there were no difference.
    pub fn p_lower(&self) -> f64 {
        lower_tail(self.t())
    }

    /// The lower end of the one-sided 95 % interval of the mean.
    pub fn lower_bound(&self) -> f64 {
        self.mean - Z_ONE_SIDED * self.standard_error
    }
}

/// The share of the normal distribution below `z`.
fn lower_tail(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// Which of several tests hold at 5 % for all of them together (Holm): the smallest of `m` at 5 %/m, the next at
/// 5 %/(m - 1), and so on until one does not.
pub fn holm(p_values: &[f64]) -> Vec<bool> {
    const LEVEL: f64 = 0.05;
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut holds = vec![false; p_values.len()];
    for (left, at) in (1..=p_values.len()).rev().zip(order) {
        let left = f64::from(u32::try_from(left).unwrap_or(u32::MAX));
        if p_values[at] > LEVEL / left {
            break;
        }
        holds[at] = true;
    }
    holds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(found: f64, golden: f64) {
        assert!((found - golden).abs() < 1e-6, "{found} is not {golden}");
    }

    /// Golden vectors of statistics.md §8 and the edge cases of §7.
    #[test]
    fn wilson_intervals_are_the_golden_ones() {
        for (passed, total, low, high) in
            [(170, 200, 0.793_943, 0.892_865), (200, 200, 0.981_154, 1.0), (0, 200, 0.0, 0.018_846)]
        {
            let (lower, upper) = wilson(passed, total);
            near(lower, low);
            near(upper, high);
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn mcnemar_is_the_golden_one() {
        near(mcnemar(14, 5), 0.031_784);
        near(2.0 * mcnemar(14, 5), 0.063_568);
        near(mcnemar(0, 0), 1.0);
        near(mcnemar(0, 9), 1.0);
        near(mcnemar(5, 0), 1.0 / 32.0);
        assert!(mcnemar(6_000, 4_000) < 1e-80 && mcnemar(4_000, 6_000) > 0.999_999);
    }

    #[test]
    fn bonett_price_is_the_golden_one() {
        near(bonett_price(10, 8, 200), -0.046_299);
        assert!(bonett_price(0, 0, 200) > -0.05 && bonett_price(0, 0, 40) < -0.05);
        assert!(bonett_price(0, 0, 0) < -0.5);
        near(bonett_price_at(Z_ONE_SIDED_90, 10, 8, 200), -0.038_260);
    }

    #[test]
    fn paired_differences_by_hand() {
        let paired = Paired::of(&[0.0, 0.2, -0.2, -0.4]).unwrap();
        near(paired.mean, -0.1);
        near(paired.standard_error, (0.2 / 3.0 / 4.0_f64).sqrt());
        near(paired.t(), -0.774_597);
        near(paired.p_lower(), 0.219_289);
        assert!(Paired::of(&[]).is_none() && Paired::of(&[-0.5]).is_none());
        let same = Paired::of(&[0.0; 9]).unwrap();
        assert!(same.t() == 0.0 && (same.p_lower() - 0.5).abs() < 1e-9 && same.lower_bound() == 0.0);
        let all_worse = Paired::of(&[-0.5; 9]).unwrap();
        assert!(all_worse.t() == f64::NEG_INFINITY && all_worse.p_lower() == 0.0);
        near(all_worse.lower_bound(), -0.5);
    }

    #[test]
    fn holm_by_hand() {
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [true, false, false]);
        assert_eq!(holm(&[lower_tail(-1.645)]), [true]);
        assert_eq!(holm(&[lower_tail(-1.6448)]), [false]);
        assert_eq!(holm(&[0.046, 0.001]), [true, true]);
        assert_eq!(holm(&[0.026, 0.03]), [false, false]);
        assert!(holm(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn measures_are_finite_and_one_sided(regressed in 0_u32..3_000, improved in 0_u32..3_000, same in 0_u32..4_000) {
            let pairs = regressed + improved + same;
            let (p, bound) = (mcnemar(regressed, improved), bonett_price(regressed, improved, pairs));
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!((-1.6..=1.0).contains(&bound));
            prop_assert!(mcnemar(regressed + 1, improved) <= p + 1e-9);
            prop_assert!(bonett_price(regressed + 1, improved, pairs + 1) < bound + 1e-3);
        }
    }
}
