//! Which version serves a unit: the one that is live, or that of its arm where a trial splits the traffic.

use cache::{Live, LoadedVersion};
use domain::{
    allocation::{Former, Unit},
    reference::Settings,
    token::Assignment,
};

/// What serves a unit.
pub(crate) struct Served<'a> {
    pub(crate) version: &'a LoadedVersion,
    /// The place in the trial; `None` where none runs, or the unit takes no part.
    pub(crate) assignment: Option<Assignment>,
}

impl Served<'_> {
    /// What a model is called with.
    pub(crate) fn settings<'a>(&'a self, live: &'a Live) -> Settings<'a> {
        let version = &self.version.version;
        let reference = &live.reference;
        reference.overrides.settings(version.version_id, &version.content, reference.version_id())
    }
}

/// Finds what serves a unit.
pub(crate) fn serve<'a>(live: &'a Live, unit: &Unit, nonce: [u8; 8], former: Option<Former>) -> Served<'a> {
    let allocation = live.reference.allocation.as_ref();
    match allocation.and_then(|allocation| allocation.place(unit, nonce, former)) {
        Some((arm, assignment)) => {
            Served { version: live.version_at(arm.version), assignment: Some(assignment) }
        }
        None => Served { version: &live.version, assignment: None },
    }
}
