//! One number for each arm.

use std::ops::{Deref, DerefMut};

/// The most arms that a trial may have.
pub const MAX_ARMS: usize = 10;

/// One number for each arm of a trial, in the order of its arms. It needs no allocation: a simulation makes
/// millions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerArm {
    values: [f64; MAX_ARMS],
    arms: usize,
}

impl PerArm {
    /// For so many arms, at most [`MAX_ARMS`].
    pub fn of(arms: usize, value: impl Fn(usize) -> f64) -> Self {
        let arms = arms.min(MAX_ARMS);
        let mut values = [0.0; MAX_ARMS];
        values[..arms].iter_mut().enumerate().for_each(|(arm, held)| *held = value(arm));
        Self { values, arms }
    }
}

impl Deref for PerArm {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.values[..self.arms]
    }
}

impl DerefMut for PerArm {
    fn deref_mut(&mut self) -> &mut [f64] {
        &mut self.values[..self.arms]
    }
}
