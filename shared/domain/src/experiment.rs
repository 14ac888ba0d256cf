//! What a trial's counters say of its arms, and what is to be done about it (statistics.md §1, §2, §4, §5.5).
//!
//! Decisions are made from differences within strata: `estimate` finds them, `evidence` weighs them,
//! `decision` ends the trial, `weights` divides the traffic until then, and `balance` says when none of it
//! can be trusted. What a person sees of a single arm is its `posterior`.

pub mod balance;
pub mod decision;
pub mod estimate;
pub mod evidence;
pub mod normal;
pub mod posterior;
pub mod weights;
