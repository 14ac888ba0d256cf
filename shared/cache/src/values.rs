//! What memory holds, and for how long each kind of it counts.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    ApiKey, Prompt, PromptId, Ref, TeamId, Version, VersionPointer, template::Compiled, token::Signer,
};

use crate::{FRESH, layer::Cached};

const HOUR: Duration = Duration::from_hours(1);
/// For what never changes.
const FOR_EVER: Duration = Duration::MAX;
/// For what is not there: somebody may make it any moment.
const NEGATIVE: Duration = FRESH;

/// A version ready to render.
#[derive(Debug)]
pub struct LoadedVersion {
    /// As it is stored.
    pub version: Version,
    /// Its templates.
    pub compiled: Compiled,
    pub(crate) weight: u64,
}

/// A ref together with the versions that it names.
#[derive(Debug)]
pub struct Live {
    /// The ref.
    pub reference: Ref,
    /// The version.
    pub version: Arc<LoadedVersion>,
    /// The versions of the arms, where a trial splits the traffic.
    pub arms: Vec<Arc<LoadedVersion>>,
}

impl Live {
    /// A version that the ref names; the live one where it names no such.
    pub fn version_at(&self, pointer: VersionPointer) -> &Arc<LoadedVersion> {
        self.arms.iter().find(|arm| arm.version.number == pointer.number).unwrap_or(&self.version)
    }

    /// Every version that the ref names.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &Arc<LoadedVersion>> {
        self.arms.iter().chain([&self.version])
    }
}

/// What an environment holds.
#[derive(Debug, Clone)]
pub enum Pair {
    /// A live version.
    Live(Arc<Live>),
    /// Nothing yet.
    NotLive {
        /// The prompt, if there is one at all.
        owner: Option<Arc<Prompt>>,
        /// The ref's revision, 0 without one.
        revision: u64,
    },
}

impl Pair {
    /// The team that owns the prompt; `None` where there is no prompt.
    pub fn team(&self) -> Option<&TeamId> {
        match self {
            Self::Live(live) => Some(&live.reference.team_id),
            Self::NotLive { owner, .. } => owner.as_ref().map(|owner| &owner.team_id),
        }
    }

    /// The ref's revision, 0 without one.
    pub fn revision(&self) -> u64 {
        match self {
            Self::Live(live) => live.reference.revision,
            Self::NotLive { revision, .. } => *revision,
        }
    }
}

impl Cached for Pair {
    fn revision(&self) -> u64 {
        Pair::revision(self)
    }

    fn fresh_for(&self) -> Duration {
        FRESH
    }

    fn stale_for(&self) -> Duration {
        match self {
            Self::Live(_) => 24 * HOUR,
            Self::NotLive { .. } => Duration::ZERO,
        }
    }
}

/// Prompts of a name: in one team at most one, over all teams at most the two that make it ambiguous.
#[derive(Debug, Clone)]
pub(crate) struct NameEntry {
    pub(crate) found: Vec<PromptId>,
    /// A name of a team is its prompt's for ever; over all teams another may join.
    pub(crate) for_ever: bool,
}

impl Cached for NameEntry {
    fn revision(&self) -> u64 {
        self.found.len() as u64
    }

    fn fresh_for(&self) -> Duration {
        if self.for_ever && !self.found.is_empty() { FOR_EVER } else { NEGATIVE }
    }

    fn stale_for(&self) -> Duration {
        if self.found.is_empty() { Duration::ZERO } else { 24 * HOUR }
    }
}

/// The prompts of a team, or of all teams, as far as they are listed.
#[derive(Debug, Clone)]
pub(crate) struct ListEntry(pub(crate) Arc<BTreeSet<PromptId>>);

impl Cached for ListEntry {
    fn revision(&self) -> u64 {
        0
    }

    fn fresh_for(&self) -> Duration {
        FRESH
    }

    fn stale_for(&self) -> Duration {
        24 * HOUR
    }
}

/// A key, or that there is none.
#[derive(Debug, Clone)]
pub(crate) struct KeyEntry(pub(crate) Option<Arc<ApiKey>>);

impl Cached for KeyEntry {
    fn revision(&self) -> u64 {
        self.0.as_ref().map_or(0, |key| key.revision)
    }

    fn fresh_for(&self) -> Duration {
        FRESH
    }

    fn stale_for(&self) -> Duration {
        if self.0.is_some() { HOUR } else { Duration::ZERO }
    }
}

/// What signs.
#[derive(Debug, Clone)]
pub(crate) struct SignerEntry(pub(crate) Arc<Signer>);

impl Cached for SignerEntry {
    fn revision(&self) -> u64 {
        0
    }

    fn fresh_for(&self) -> Duration {
        Duration::from_mins(10)
    }

    fn stale_for(&self) -> Duration {
        24 * HOUR
    }
}

/// What signed before and still verifies, or that there is no such thing.
#[derive(Debug, Clone)]
pub(crate) struct FormerSignerEntry(pub(crate) Option<Arc<Signer>>);

impl Cached for FormerSignerEntry {
    fn revision(&self) -> u64 {
        0
    }

    fn fresh_for(&self) -> Duration {
        if self.0.is_some() { FOR_EVER } else { NEGATIVE }
    }

    fn stale_for(&self) -> Duration {
        if self.0.is_some() { FOR_EVER } else { Duration::ZERO }
    }
}
