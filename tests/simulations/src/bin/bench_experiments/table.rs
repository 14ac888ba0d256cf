//! The figures of statistics.md §4.1.

use crate::{experiment::Policy, world::Metric};

/// Where the table has no figure.
pub(crate) const NONE: f64 = f64::NAN;

/// A figure of each column: how often the second arm wins, the median day, the reduction of exposure in
/// percent, and the day of convergence.
pub(crate) type Cell = [f64; 4];

/// A policy, how often each arm wins among equals (the second one first), and the cells of [`EFFECTS`].
type Line = (Policy, [f64; 2], [Cell; 4]);

/// The effects of the columns.
pub(crate) const EFFECTS: [f64; 4] = [1.0, 1.5, 2.0, 3.0];

/// A block of the table.
pub(crate) struct Block {
    pub(crate) name: &'static str,
    pub(crate) metric: Metric,
    pub(crate) classic: f64,
    pub(crate) lines: &'static [Line],
}

pub(crate) const BLOCKS: [Block; 3] = [
    Block {
        name: ".30 vs .33",
        metric: Metric::Success { base: 0.30, step: 0.03 },
        classic: 3760.0,
        lines: &[
            (
                Policy::Classic,
                [0.022, 0.025],
                [
                    [0.81, 14.0, 0.0, NONE],
                    [0.99, 14.0, 0.0, NONE],
                    [1.0, 14.0, 0.0, NONE],
                    [1.0, 14.0, 0.0, NONE],
                ],
            ),
            (
                Policy::Fixed,
                [0.034, 0.032],
                [
                    [0.80, 13.9, 25.0, 13.9],
                    [0.99, 6.0, 52.0, 6.0],
                    [1.0, 3.6, 70.0, 3.6],
                    [1.0, 1.7, 86.0, 1.7],
                ],
            ),
            (
                Policy::Strict,
                [0.032, 0.032],
                [
                    [0.53, 14.0, 62.0, 3.6],
                    [0.85, 13.4, 74.0, 1.6],
                    [0.98, 7.5, 82.0, 0.8],
                    [1.0, 3.6, 90.0, 0.4],
                ],
            ),
            (
                Policy::Balanced,
                [0.128, 0.130],
                [
                    [0.73, 7.6, 69.0, 3.1],
                    [0.94, 4.6, 82.0, 1.5],
                    [0.99, 3.5, 88.0, 0.8],
                    [1.0, 2.0, 93.0, 0.4],
                ],
            ),
            (
                Policy::Naive,
                [0.280, 0.292],
                [
                    [0.89, 2.4, 73.0, 1.8],
                    [0.97, 1.4, 86.0, 0.9],
                    [0.99, 0.9, 92.0, 0.5],
                    [1.0, 0.5, 95.0, 0.4],
                ],
            ),
        ],
    },
    Block {
        name: ".10 vs .13",
        metric: Metric::Success { base: 0.10, step: 0.03 },
        classic: 1772.0,
        lines: &[
            (
                Policy::Fixed,
                [0.035, 0.029],
                [
                    [0.80, 13.7, 23.0, 13.7],
                    [0.98, 6.3, 49.0, 6.3],
                    [1.0, 4.0, 67.0, 4.0],
                    [1.0, 2.1, 83.0, 2.1],
                ],
            ),
            (
                Policy::Strict,
                [0.036, 0.028],
                [
                    [0.51, 14.0, 61.0, 3.6],
                    [0.83, 14.0, 71.0, 1.5],
                    [0.97, 9.4, 79.0, 0.9],
                    [1.0, 4.8, 87.0, 0.8],
                ],
            ),
            (
                Policy::Balanced,
                [0.132, 0.136],
                [
                    [0.73, 7.5, 67.0, 2.9],
                    [0.94, 4.7, 81.0, 1.3],
                    [0.99, 3.3, 86.0, 0.9],
                    [1.0, 1.8, 91.0, 0.8],
                ],
            ),
            (
                Policy::Naive,
                [0.258, 0.252],
                [
                    [0.88, 2.8, 72.0, 2.0],
                    [0.98, 1.7, 85.0, 1.0],
                    [0.99, 1.1, 89.0, 0.9],
                    [1.0, 0.9, 93.0, 0.8],
                ],
            ),
        ],
    },
    Block {
        name: "rating 3.90 vs 4.05",
        metric: Metric::Rating,
        classic: 845.0,
        lines: &[
            (
                Policy::Fixed,
                [0.027, 0.027],
                [
                    [0.80, 13.1, 23.0, 13.1],
                    [0.99, 6.3, 51.0, 6.3],
                    [1.0, 3.8, 69.0, 3.8],
                    [1.0, 2.0, 83.0, 2.0],
                ],
            ),
            (
                Policy::Strict,
                [0.031, 0.029],
                [
                    [0.55, 14.0, 60.0, 3.1],
                    [0.87, 12.0, 71.0, 1.8],
                    [0.98, 6.6, 78.0, 1.8],
                    [1.0, 2.2, 85.0, 1.7],
                ],
            ),
            (
                Policy::Balanced,
                [0.124, 0.115],
                [
                    [0.75, 7.5, 67.0, 2.7],
                    [0.95, 4.1, 80.0, 1.8],
                    [1.0, 2.4, 84.0, 1.8],
                    [1.0, 1.9, 87.0, 1.7],
                ],
            ),
            (
                Policy::Naive,
                [0.223, 0.209],
                [
                    [0.91, 3.0, 73.0, 2.1],
                    [0.99, 2.0, 84.0, 1.8],
                    [1.0, 1.8, 86.0, 1.8],
                    [1.0, 1.8, 87.0, 1.7],
                ],
            ),
        ],
    },
];

/// What §4.1 says below the table of effects between those, for the first block.
pub(crate) const BETWEEN: [(Policy, f64, Cell); 4] = [
    (Policy::Strict, 1.25, [0.71, NONE, 69.0, 2.4]),
    (Policy::Strict, 1.75, [0.93, 9.5, 79.0, NONE]),
    (Policy::Strict, 2.25, [NONE, 6.0, 85.0, NONE]),
    (Policy::Balanced, 1.25, [0.87, 5.7, 78.0, NONE]),
];

/// What §0 says of a policy that is in no line: its median day and its reduction of exposure in percent at
/// 1x, for each block.
pub(crate) const NAIVE_FIXED: [[f64; 2]; 3] = [[1.8, 66.0], [2.3, NONE], [2.9, NONE]];
