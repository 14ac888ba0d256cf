//! Who is served which arm of a trial (statistics.md §3): a pure function of the unit, so nothing is stored
//! or read.
//!
//! The *unit* is whatever sticks to its arm: the user, else the conversation, else the request. Each arm
//! draws a number for the unit, and the lowest `−ln u / weight` serves it (weighted rendezvous hashing). So a
//! change of weights moves hardly more units than it must, restored weights bring everybody back, and the
//! order of the arms is nothing.

mod dice;
mod trial;
mod unit;
mod variant;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use dice::Dice;
pub use trial::TrialId;
pub use unit::{Former, Unit};
pub use variant::{MAX_KEY_BYTES, Variant, arms};

use crate::{VersionPointer, token::Assignment};

/// The key of the current version's arm in a canary.
pub const CONTROL: &str = "control";

/// The key of the new version's arm in a canary.
pub const CANARY: &str = "canary";

/// What the numbers are drawn for that say who takes part. No arm may have such a key.
const ENROLMENT: &str = "__enroll";

/// How long a conversation may go on with the arm of its former answer.
pub const CONTINUES: Duration = Duration::from_hours(24);

/// What a ref says of the trial that splits its traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Allocation {
    /// The experiment or canary.
    pub trial: TrialId,
    /// Which of its runs: another one assigns everybody anew.
    pub iteration: u32,
    /// Counts the changes of the weights.
    pub allocation_version: u64,
    /// How units are split.
    pub rule: Rule,
    /// The arms; the first is the control.
    pub arms: Vec<Arm>,
}

/// How units are split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Among all arms, by their weights.
    Split {
        /// The share of units that take part, 0 to 1.
        enrolled: f64,
    },
    /// Between the control and the canary, which is the second arm; its weight is the share of units that it
    /// serves.
    Canary,
}

/// One of the versions that are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Its name within the trial.
    pub key: String,
    /// What it serves.
    pub version: VersionPointer,
    /// Its share of the traffic. Only the proportions count; 0 serves nobody.
    pub weight: f64,
}

impl Allocation {
    /// What the number is drawn for that says who is in the canary: one for all stages, so that nobody ever
    /// leaves it while it grows.
    pub const NESTING: &str = "__canary";

    /// A canary that serves this share of the units, 0 to 1.
    pub fn canary(
        trial: TrialId,
        (iteration, allocation_version): (u32, u64),
        (control, canary): (VersionPointer, VersionPointer),
        share: f64,
    ) -> Self {
        let arms = [(CONTROL, control, 1.0 - share), (CANARY, canary, share)]
            .map(|(key, version, weight)| Arm { key: key.to_owned(), version, weight });
        Self { trial, iteration, allocation_version, rule: Rule::Canary, arms: arms.to_vec() }
    }

    /// The arm that serves a unit. `None`: the unit takes no part, so the control answers and no arm is
    /// named.
    pub fn assign(&self, unit: &str) -> Option<&Arm> {
        let dice = Dice::new(&self.trial.to_string(), self.iteration);
        match self.rule {
            Rule::Canary => {
                let (control, canary) = (self.arms.first()?, self.arms.get(1)?);
                Some(if dice.roll(Self::NESTING, unit) < canary.weight { canary } else { control })
            }
            Rule::Split { enrolled } => {
                (dice.roll(ENROLMENT, unit) < enrolled).then(|| rendezvous(&self.arms, &dice, unit))?
            }
        }
    }

    /// The arm that serves a unit, and its place there: that of the former answer where the conversation stays on it.
    /// Who is nobody is drawn by lot, and the nonce is the lot. `None`: the unit takes no part.
    pub fn place(&self, unit: &Unit, nonce: [u8; 8], former: Option<Former>) -> Option<(&Arm, Assignment)> {
        if let Some(Former { assignment, age }) = former
            && let Some(arm) = self.keep(&assignment, age)
        {
            return Some((arm, assignment));
        }
        let arm = match &unit.id {
            Some(unit) => self.assign(unit),
            None => self.assign(&format!("{:016x}", u64::from_be_bytes(nonce))),
        }?;
        let assignment = Assignment {
            trial: self.trial,
            iteration: self.iteration,
            allocation_version: self.allocation_version,
            arm: arm.key.clone(),
        };
        Some((arm, assignment))
    }

    /// The arm of a conversation's former answer, if the conversation stays on it. The next token then
    /// repeats the assignment as it was, its allocation version too: feedback belongs to the weights that
    /// chose the arm.
    pub fn keep(&self, former: &Assignment, age: Duration) -> Option<&Arm> {
        let lasts = former.trial == self.trial && former.iteration == self.iteration && age < CONTINUES;
        self.arms.iter().filter(|_| lasts).find(|arm| arm.key == former.arm && arm.weight > 0.0)
    }
}

fn rendezvous<'a>(arms: &'a [Arm], dice: &Dice, unit: &str) -> Option<&'a Arm> {
    let distance = |arm: &Arm| -libm::log(dice.roll(&arm.key, unit)) / arm.weight;
    let served = arms.iter().filter(|arm| arm.weight > 0.0).map(|arm| (distance(arm), arm));
    let nearest = served.min_by(|(a, one), (b, other)| a.total_cmp(b).then_with(|| one.key.cmp(&other.key)));
    nearest.map(|(_, arm)| arm)
}

#[cfg(test)]
mod tests;
