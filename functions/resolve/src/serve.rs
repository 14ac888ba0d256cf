//! Which version serves a unit: the one that is live, or that of its arm where a trial splits the traffic.

use std::time::Duration;

use cache::{Live, LoadedVersion};
use domain::{allocation::Arm, token::Assignment};

use crate::ask::Unit;

/// What a former answer's token says of its arm.
pub(crate) struct Former {
    pub(crate) assignment: Assignment,
    /// How long ago it was issued.
    pub(crate) age: Duration,
}

/// What serves a unit.
pub(crate) struct Served<'a> {
    pub(crate) version: &'a LoadedVersion,
    /// The place in the trial; `None` where none runs, or the unit takes no part.
    pub(crate) assignment: Option<Assignment>,
}

/// Finds what serves a unit. Who is nobody is drawn by lot, and the nonce is the lot.
pub(crate) fn serve<'a>(live: &'a Live, unit: &Unit, nonce: [u8; 8], former: Option<Former>) -> Served<'a> {
    let by_itself = Served { version: &live.version, assignment: None };
    let Some(allocation) = &live.reference.allocation else { return by_itself };
    let served = |arm: &Arm, assignment| Served {
        version: live.version_at(arm.version),
        assignment: Some(assignment),
    };
    if let Some(Former { assignment, age }) = former
        && let Some(arm) = allocation.keep(&assignment, age)
    {
        return served(arm, assignment);
    }
    let arm = match &unit.id {
        Some(unit) => allocation.assign(unit),
        None => allocation.assign(&format!("{:016x}", u64::from_be_bytes(nonce))),
    };
    let Some(arm) = arm else { return by_itself };
    let assignment = Assignment {
        trial: allocation.trial,
        iteration: allocation.iteration,
        allocation_version: allocation.allocation_version,
        arm: arm.key.clone(),
    };
    served(arm, assignment)
}
