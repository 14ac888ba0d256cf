//! The faults: what breaks, and how it is healed.
//!
//! Two cannot be had here. **Code of two releases side by side**: there is no release before this one to start beside
//! it; that instances come and go while others serve is what is left of a deployment. **A memory limit**: instances
//! share this process; what the others and the callers see of one that is out of memory, that it ends in the middle of
//! whatever it does, is injected.

mod cache;
mod events;
mod instances;
mod table;

use std::pin::Pin;

use benches::Outcome;

use crate::stage::Stage;

/// What is done to a platform.
type Deed<'a, T = ()> = Pin<Box<dyn Future<Output = Outcome<T>> + 'a>>;

/// Something that breaks. Whatever it does all the time it does as a task of the stage, which ends when it is healed.
pub(crate) struct Fault {
    /// What is broken.
    pub(crate) name: &'static str,
    /// Breaks it.
    pub(crate) breaks: for<'a> fn(&'a mut Stage) -> Deed<'a>,
    /// Ends what breaks it: the platform heals itself. Says how often it was met.
    pub(crate) heals: for<'a> fn(&'a mut Stage) -> Deed<'a, u64>,
    /// Whether moves are acknowledged while it lasts: not where every call of the table fails.
    pub(crate) moves: bool,
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Fault> {
    [cache::FAULTS, table::FAULTS, events::FAULTS, instances::FAULTS].into_iter().flatten()
}
