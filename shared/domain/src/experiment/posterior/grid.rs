//! Integrals over densities, by one grid of 2048 points.
//!
//! Each curve has a coordinate in which it is smooth up to its ends, and brings points of its own to where
//! its mass is: a narrow curve is seen as sharply as a wide one beside it. Between two points Gauss's two
//! nodes integrate all the densities and their products at once (the collocation of order 4), which keeps
//! `F·G` exactly: of two curves the chances to be the highest sum to 1.

use std::f64::consts::FRAC_PI_2;

/// The points of a grid; all its curves share them.
const POINTS: u32 = 2048;

/// How far a curve's points reach to either side, in [`Curve::point`]'s steps. Beyond lies less than 10⁻⁷.
const REACH: f64 = 9.0;

/// A density.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Curve {
    /// Beta(a, b) with a, b ≥ 1/2. Its coordinate is the angle `arcsin √x`, in which no such density is
    /// infinite.
    Beta {
        /// Beside the prior, the successes.
        a: f64,
        /// Beside the prior, the failures.
        b: f64,
    },
    /// Student's t, moved and stretched. Its coordinate is the value itself.
    Student {
        /// The degrees of freedom, 2 at the least.
        df: f64,
        /// Where its middle is.
        centre: f64,
        /// How wide it is, above 0.
        scale: f64,
    },
}

impl Curve {
    /// The curve of what is worth less the more it is: 1 − x of a share, −x of anything else.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Beta { a, b } => Self::Beta { a: b, b: a },
            Self::Student { df, centre, scale } => Self::Student { df, centre: -centre, scale },
        }
    }

    /// The value at a coordinate.
    fn value(&self, at: f64) -> f64 {
        match self {
            Self::Beta { .. } => libm::pow(libm::sin(at), 2.0),
            Self::Student { .. } => at,
        }
    }

    /// The coordinate so many steps from the middle: a step is about a standard deviation, and grows in heavy
    /// tails.
    fn point(&self, steps: f64) -> f64 {
        match *self {
            Self::Beta { a, b } => {
                (libm::atan2(a.sqrt(), b.sqrt()) + steps / (4.0 * (a + b)).sqrt()).clamp(0.0, FRAC_PI_2)
            }
            Self::Student { centre, scale, .. } => centre + scale * libm::sinh(steps),
        }
    }

    /// The density at a coordinate, in units of that in the middle.
    fn density(&self, at: f64) -> f64 {
        match *self {
            Self::Beta { a, b } => {
                // From the middle, so that nothing is lost to cancellation where a and b are large.
                let from = at - libm::atan2(a.sqrt(), b.sqrt());
                let (sine, bend) = (libm::sin(from), -2.0 * libm::pow(libm::sin(from / 2.0), 2.0));
                // Rounding must not reach −1, whose logarithm is infinite.
                let ln = |relative: f64| libm::log1p(relative.max(f64::EPSILON - 1.0));
                let of_a = (2.0 * a - 1.0) * ln(bend + (b / a).sqrt() * sine);
                libm::exp(of_a + (2.0 * b - 1.0) * ln(bend - (a / b).sqrt() * sine))
            }
            Self::Student { df, centre, scale } => {
                let z = (at - centre) / scale;
                libm::exp(-0.5 * (df + 1.0) * libm::log1p(z * z / df))
            }
        }
    }

    /// The values below which these shares of the curve lie.
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        let grid = grid(std::slice::from_ref(self));
        let masses = self.masses(&grid);
        shares.map(|share| {
            let mut below = 0.0;
            for (ends, mass) in grid.windows(2).zip(&masses) {
                let mass = mass[0] + mass[1];
                if below + mass >= share && mass > 0.0 {
                    return self.value(ends[0] + (ends[1] - ends[0]) * (share - below) / mass);
                }
                below += mass;
            }
            self.value(self.point(REACH))
        })
    }

    /// The mass at the two nodes of each cell of a grid; all of them sum to 1.
    fn masses(&self, grid: &[f64]) -> Vec<[f64; 2]> {
        let of_cell = |ends: &[f64]| {
            let (middle, half) = (f64::midpoint(ends[0], ends[1]), (ends[1] - ends[0]) / 2.0);
            let off = half / 3.0_f64.sqrt();
            [half * self.density(middle - off), half * self.density(middle + off)]
        };
        let mut masses: Vec<[f64; 2]> = grid.windows(2).map(of_cell).collect();
        let total: f64 = masses.iter().flatten().sum();
        masses.iter_mut().flatten().for_each(|mass| *mass /= total);
        masses
    }
}

/// The points of all curves in order.
fn grid(curves: &[Curve]) -> Vec<f64> {
    let each = (POINTS / u32::try_from(curves.len()).unwrap_or(POINTS)).max(2);
    let steps = |i: u32| REACH * (2.0 * f64::from(i) / f64::from(each - 1) - 1.0);
    let mut points: Vec<f64> =
        curves.iter().flat_map(|curve| (0..each).map(move |i| curve.point(steps(i)))).collect();
    points.sort_by(f64::total_cmp);
    points
}

/// How likely each of independent curves of one kind is the highest.
pub(super) fn p_highest(curves: &[Curve]) -> Vec<f64> {
    if curves.len() < 2 {
        return vec![1.0; curves.len()];
    }
    let grid = grid(curves);
    let masses: Vec<_> = curves.iter().map(|curve| curve.masses(&grid)).collect();
    let lean = 1.0 / 3.0_f64.sqrt();
    let (mut below, mut highest) = (vec![0.0; curves.len()], vec![0.0; curves.len()]);
    let mut at_nodes = vec![[0.0; 2]; curves.len()];
    for cell in 0..grid.len() - 1 {
        for ((at_nodes, below), masses) in at_nodes.iter_mut().zip(&mut below).zip(&masses) {
            let [first, second] = masses[cell];
            *at_nodes =
                [*below + first / 2.0 + (0.5 - lean) * second, *below + (0.5 + lean) * first + second / 2.0];
            *below += first + second;
        }
        for (k, highest) in highest.iter_mut().enumerate() {
            *highest += (0..2).map(|node| masses[k][cell][node] * others(&at_nodes, k, node)).sum::<f64>();
        }
    }
    let total: f64 = highest.iter().sum();
    highest.iter().map(|p| (p / total).clamp(0.0, 1.0)).collect()
}

/// How likely all curves but `k` are below a node.
fn others(at_nodes: &[[f64; 2]], k: usize, node: usize) -> f64 {
    at_nodes.iter().enumerate().filter(|(j, _)| *j != k).map(|(_, below)| below[node]).product()
}

#[cfg(test)]
mod tests;
