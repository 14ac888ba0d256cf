//! How far the arms of a trial are apart, from counters alone (statistics.md §2.3).
//!
//! Arms are compared within a stratum only, where they were served side by side: whatever moves all arms
//! together, be it the weekend or a slow model, is in no difference. Pooled means would call drift an effect
//! in up to 83 % of trials of equal arms.
//!
//! The arms are the vertices of a graph, and each stratum is a resistor between each pair of them: the
//! information `n_i·n_j/N` that it has on the pair. The effects solve the graph's Laplacian `C = diag(n) − Σ
//! n·nᵀ/N` for `Q = Σ (S − n·ΣS/N)`, with the control's effect taken as 0. For two arms that is `δ̂ = Σh·d /
//! Σh` with the variance `σ²/Σh`.

mod design_effect;
mod per_arm;
mod standing;

pub use design_effect::design_effect;
pub use per_arm::{MAX_ARMS, PerArm};
pub use standing::Standing;

use crate::{counter::Sums, measure::Measure};

/// What a pair of arms is taken to have been compared by before there is any data, in observations. It is far
/// below any result's last printed digit, and makes every pair comparable: two arms that never met are 0
/// apart, within an error so large that nothing follows from it.
const LEAST_INFORMATION: f64 = 5e-7;

/// The counters of one allocation version, which a stratum is: within it every arm saw the same traffic.
#[derive(Debug, Clone, PartialEq)]
pub struct Stratum {
    /// Which one.
    pub allocation_version: u64,
    /// The counters of each arm in the order of the trial's arms, the control first, times the measure's
    /// sign: more is better. An arm that had no traffic has `n` 0.
    pub arms: Vec<Sums>,
}

/// What is known of the scatter of single observations besides their own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// σ0²: the variance that counts as one more observation. Without it, arms whose results are all alike
    /// would have no error at all.
    pub prior: f64,
    /// How much wider the errors are as users give several answers each: [`design_effect`], 1 where they do
    /// not.
    pub design_effect: f64,
}

impl Noise {
    /// For this measure (statistics.md §1).
    pub fn of(measure: Measure, design_effect: f64) -> Self {
        Self { prior: measure.prior_variance(), design_effect }
    }
}

/// Why there is no estimate. Both are defects: counters are checked when they are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadStratum {
    /// The trial has no arm or more than [`MAX_ARMS`], or a stratum has another number of arms than the
    /// trial.
    #[error("a stratum has {found} arms and its trial {arms}: they must be as many, and 1 to 10")]
    Arms {
        /// Of the trial.
        arms: usize,
        /// Of the stratum.
        found: usize,
    },
    /// A counter is negative where it cannot be, infinite or no number.
    #[error("the counters of allocation version {allocation_version} cannot be: recount them")]
    Counters {
        /// Where.
        allocation_version: u64,
    },
}

/// How far one arm is above another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// δ̂, in the unit in which the measure is counted; above 0, the arm is better.
    pub delta: f64,
    /// V: the square of its standard error, above 0.
    pub variance: f64,
}

impl Contrast {
    /// How many standard errors that is.
    pub fn z(&self) -> f64 {
        self.delta / self.variance.sqrt()
    }
}

/// What a trial's counters say of one measure of its arms.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// How many observations each arm has, those of faded strata too.
    pub samples: PerArm,
    /// Their sums, as counted: shifted, and times the measure's sign.
    pub totals: PerArm,
    /// How far each arm is above the control.
    effects: PerArm,
    /// L of `C = L·Lᵀ`, the control left out: row and column 0 are not used.
    factor: [[f64; MAX_ARMS]; MAX_ARMS],
    /// σ², the variance of single observations within an arm and a stratum.
    variance: f64,
    /// At least 1.
    design_effect: f64,
}

impl Estimate {
    /// Of a trial with so many arms. `weight` is what a stratum counts for: 1, or what [`fade`] says of its
    /// age.
    pub fn of(
        arms: usize,
        strata: &[Stratum],
        noise: Noise,
        weight: impl Fn(&Stratum) -> f64,
    ) -> Result<Self, BadStratum> {
        if !(1..=MAX_ARMS).contains(&arms) {
            return Err(BadStratum::Arms { arms, found: arms });
        }
        let mut sums = Totals::new(arms);
        for stratum in strata {
            sums.add(stratum, weight(stratum))?;
        }
        Ok(sums.solve(noise))
    }

    /// How many arms.
    pub fn arms(&self) -> usize {
        self.effects.len()
    }

    /// σ: the standard deviation of single observations within an arm and a stratum.
    pub fn sigma(&self) -> f64 {
        self.variance.sqrt()
    }

    /// How far each arm is above the control, which is 0 above itself.
    pub fn effects(&self) -> &PerArm {
        &self.effects
    }

    /// What a share of an arm's mean is a share of: the mean as it was measured, the shift and the sign
    /// undone. 1 for a measure that is counted in logarithms, whose differences are shares already.
    pub fn scale(&self, measure: Measure, arm: usize) -> f64 {
        match measure {
            Measure::LatencyMs | Measure::CostUsd => 1.0,
            _ => measure.sign() * self.totals[arm] / self.samples[arm].max(1.0) + measure.shift(),
        }
    }

    /// How far `arm` is above `rival`.
    pub fn contrast(&self, arm: usize, rival: usize) -> Contrast {
        // V = (e_arm − e_rival)ᵀ·C⁻¹·(e_arm − e_rival) = |L⁻¹·(e_arm − e_rival)|².
        let mut solved = [0.0; MAX_ARMS];
        let mut squares = 0.0;
        for row in 1..self.arms() {
            let wanted = f64::from(u8::from(row == arm)) - f64::from(u8::from(row == rival));
            let known: f64 = (1..row).map(|column| self.factor[row][column] * solved[column]).sum();
            solved[row] = (wanted - known) / self.factor[row][row];
            squares += solved[row] * solved[row];
        }
        Contrast { delta: self.effects[arm] - self.effects[rival], variance: self.observation() * squares }
    }

    /// What one observation's worth of information leaves of doubt.
    fn observation(&self) -> f64 {
        self.variance * self.design_effect
    }

    /// x of `Lᵀ·x = y` in place: with `y = L⁻¹·Q` the effects, with normal draws of variance 1 an error of
    /// the effects.
    fn back_substitute(&self, values: &mut [f64; MAX_ARMS]) {
        for row in (1..self.arms()).rev() {
            let known: f64 =
                (row + 1..self.arms()).map(|below| self.factor[below][row] * values[below]).sum();
            values[row] = (values[row] - known) / self.factor[row][row];
        }
    }
}

/// What is summed up over the strata.
struct Totals {
    samples: PerArm,
    totals: PerArm,
    /// C; the factor in the end.
    information: [[f64; MAX_ARMS]; MAX_ARMS],
    /// Q.
    gains: [f64; MAX_ARMS],
    /// The squared distances from the mean of the arm in its stratum.
    squares: f64,
    /// How many of them are free.
    degrees: f64,
}

impl Totals {
    fn new(arms: usize) -> Self {
        let none = PerArm::of(arms, |_| 0.0);
        let mut totals = Self {
            samples: none,
            totals: none,
            information: [[0.0; MAX_ARMS]; MAX_ARMS],
            gains: [0.0; MAX_ARMS],
            squares: 0.0,
            degrees: 0.0,
        };
        for arm in 0..arms {
            (arm + 1..arms).for_each(|rival| totals.connect(arm, rival, LEAST_INFORMATION));
        }
        totals
    }

    fn add(&mut self, stratum: &Stratum, weight: f64) -> Result<(), BadStratum> {
        let (arms, found) = (self.samples.len(), stratum.arms.len());
        if arms != found {
            return Err(BadStratum::Arms { arms, found });
        }
        let mut served = 0.0;
        for (arm, sums) in stratum.arms.iter().enumerate() {
            if !(sums.are_sound() && weight.is_finite()) {
                return Err(BadStratum::Counters { allocation_version: stratum.allocation_version });
            }
            served += sums.n;
            self.samples[arm] += sums.n;
            self.totals[arm] += sums.s1;
            if sums.n > 0.0 {
                self.squares += sums.squares();
                self.degrees += sums.n - 1.0;
            }
        }
        if served > 0.0 {
            self.compare(&stratum.arms, weight / served);
        }
        Ok(())
    }

    /// What the pairs of a stratum say. Summed up by pairs, for the diagonal as `n − n²/N` would lose the
    /// digits of a rare arm.
    fn compare(&mut self, sums: &[Sums], share: f64) {
        for (arm, mine) in sums.iter().enumerate() {
            for (rival, theirs) in sums.iter().enumerate().skip(arm + 1) {
                self.connect(arm, rival, mine.n * theirs.n * share);
                let gain = (mine.s1 * theirs.n - theirs.s1 * mine.n) * share;
                self.gains[arm] += gain;
                self.gains[rival] -= gain;
            }
        }
    }

    fn connect(&mut self, arm: usize, rival: usize, information: f64) {
        self.information[arm][arm] += information;
        self.information[rival][rival] += information;
        self.information[rival][arm] -= information;
    }

    fn solve(mut self, noise: Noise) -> Estimate {
        let arms = self.samples.len();
        let factor = &mut self.information;
        for row in 1..arms {
            for column in 1..=row {
                let known: f64 = (1..column).map(|k| factor[row][k] * factor[column][k]).sum();
                let left = factor[row][column] - known;
                // Arms that met each other often and the control never leave nothing here but rounding.
                factor[row][column] = if row == column {
                    left.max(LEAST_INFORMATION).sqrt()
                } else {
                    left / factor[column][column]
                };
            }
            let known: f64 = (1..row).map(|k| factor[row][k] * self.gains[k]).sum();
            self.gains[row] = (self.gains[row] - known) / factor[row][row];
        }
        let mut estimate = Estimate {
            samples: self.samples,
            totals: self.totals,
            effects: self.samples,
            factor: self.information,
            variance: (self.squares + noise.prior) / (self.degrees + 1.0),
            design_effect: noise.design_effect.max(1.0),
        };
        estimate.back_substitute(&mut self.gains);
        estimate.effects = PerArm::of(arms, |arm| if arm == 0 { 0.0 } else { self.gains[arm] });
        estimate
    }
}

/// What a closed stratum of this age still counts for (statistics.md §2.4). Both in days.
pub fn fade(half_life: f64, age: f64) -> f64 {
    libm::exp2(-age.max(0.0) / half_life)
}

#[cfg(test)]
pub(super) mod tests;
