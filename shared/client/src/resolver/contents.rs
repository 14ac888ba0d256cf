//! What a resolver holds: prompts by their names, with the versions that they name, compiled.

use std::{
    collections::{HashMap, HashSet, hash_map},
    sync::Arc,
};

use domain::{
    PromptId, TeamId, VersionId, VersionPointer, allocation::Allocation, content::Content,
    reference::Overrides, template::Compiled,
};

use crate::{Error, Result, snapshot::Entry};

/// A prompt as it is in the environment.
#[derive(Debug)]
pub struct Prompt {
    /// Its id.
    pub prompt_id: PromptId,
    /// Its present name.
    pub name: String,
    /// Whether it is archived.
    pub archived: bool,
    /// The ref's revision; 0 where there is none.
    pub revision: u64,
    /// What is live.
    pub live: Option<Arc<Version>>,
    /// What stands instead of the live version's own settings.
    pub overrides: Overrides,
    /// What splits the traffic.
    pub allocation: Option<Allocation>,
    /// The versions of the arms.
    pub(super) arms: Vec<Arc<Version>>,
}

/// A version ready to render.
#[derive(Debug)]
pub struct Version {
    /// Its id.
    pub version_id: VersionId,
    /// 1, 2, 3, … within the prompt.
    pub version_number: u32,
    /// What it says.
    pub content: Content,
    pub(super) compiled: Compiled,
}

/// A page of the snapshot, as it was told.
pub(super) struct Page {
    /// Where it begins; none at the beginning.
    pub(super) cursor: Option<String>,
    /// What it was tagged with.
    pub(super) tag: String,
    pub(super) entries: Vec<Entry>,
    pub(super) versions: Vec<Arc<Version>>,
    /// Where the next one begins.
    pub(super) next_cursor: Option<String>,
}

/// All that is held.
#[derive(Default)]
pub(super) struct Contents {
    /// Whose prompts these are; `None` before they are known.
    pub(super) team: Option<TeamId>,
    pub(super) pages: Vec<Arc<Page>>,
    by_id: HashMap<PromptId, Arc<Prompt>>,
    by_name: HashMap<String, Arc<Prompt>>,
    versions: HashMap<VersionId, Arc<Version>>,
}

impl Prompt {
    /// A version that it names; the live one where it names no such.
    pub(super) fn version_at<'a>(
        &'a self,
        pointer: VersionPointer,
        live: &'a Arc<Version>,
    ) -> &'a Arc<Version> {
        self.arms.iter().find(|arm| arm.version_id == pointer.id).unwrap_or(live)
    }

    fn new(entry: &Entry, versions: &HashMap<VersionId, Arc<Version>>) -> Result<Self> {
        let version = |id: VersionId| versions.get(&id).cloned().ok_or(Error::Missing(id));
        let arms = entry.allocation.iter().flat_map(|allocation| &allocation.arms);
        Ok(Self {
            prompt_id: entry.prompt_id,
            name: entry.name.clone(),
            archived: entry.archived,
            revision: entry.revision,
            live: entry.version_id.map(version).transpose()?,
            overrides: entry.overrides.clone(),
            allocation: entry.allocation.clone(),
            arms: arms.map(|arm| version(arm.version.id)).collect::<Result<_>>()?,
        })
    }
}

impl Version {
    /// Compiles what a version says.
    pub(super) fn new(version_id: VersionId, version_number: u32, content: Content) -> Result<Self> {
        let compiled = Compiled::new(&content)
            .map_err(|source| Error::Version { version_id, source: Box::new(source) })?;
        Ok(Self { version_id, version_number, content, compiled })
    }
}

impl Contents {
    /// What these pages say. Of a prompt that was known at a higher revision that is kept: of several processes of the
    /// platform one may be behind.
    pub(super) fn of(team: TeamId, pages: Vec<Arc<Page>>, before: &Self) -> Result<Self> {
        let versions = pages.iter().flat_map(|page| &page.versions);
        let mut versions: HashMap<_, _> =
            versions.map(|version| (version.version_id, Arc::clone(version))).collect();
        let (mut by_id, mut by_name) = (HashMap::new(), HashMap::new());
        for entry in pages.iter().flat_map(|page| &page.entries) {
            let prompt = match by_id.entry(entry.prompt_id) {
                hash_map::Entry::Occupied(known) => Arc::clone(known.get()),
                hash_map::Entry::Vacant(place) => {
                    let newer =
                        before.by_id.get(&entry.prompt_id).filter(|held| held.revision > entry.revision);
                    let prompt = match newer {
                        Some(held) => Arc::clone(held),
                        None => Arc::new(Prompt::new(entry, &versions)?),
                    };
                    Arc::clone(place.insert(prompt))
                }
            };
            by_name.insert(entry.alias.clone(), prompt);
        }
        let named: Vec<_> =
            by_id.values().flat_map(|prompt| prompt.live.iter().chain(&prompt.arms)).cloned().collect();
        versions.extend(named.into_iter().map(|version| (version.version_id, version)));
        Ok(Self { team: Some(team), pages, by_id, by_name, versions })
    }

    /// The prompt that a caller means.
    pub(super) fn find(&self, address: &str) -> Option<&Arc<Prompt>> {
        if PromptId::looks_like(address) {
            return self.by_id.get(&address.parse().ok()?);
        }
        self.by_name.get(address).or_else(|| {
            let (team, name) = address.split_once('/')?;
            self.by_name.get(name).filter(|_| self.team.as_ref().is_some_and(|ours| ours.as_str() == team))
        })
    }

    /// A version that is held.
    pub(super) fn version(&self, id: VersionId) -> Option<&Arc<Version>> {
        self.versions.get(&id)
    }

    /// How many prompts there are.
    pub(super) fn prompts(&self) -> usize {
        self.by_id.len()
    }

    /// Each prompt by each of its names, as a page says it.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.by_name.iter().map(|(alias, prompt)| Entry {
            alias: alias.clone(),
            prompt_id: prompt.prompt_id,
            name: prompt.name.clone(),
            archived: prompt.archived,
            version_id: prompt.live.as_ref().map(|live| live.version_id),
            revision: prompt.revision,
            overrides: prompt.overrides.clone(),
            allocation: prompt.allocation.clone(),
        })
    }

    /// The versions that prompts name, each once.
    pub(super) fn named(&self) -> impl Iterator<Item = &Arc<Version>> {
        let mut seen = HashSet::new();
        let all = self.by_id.values().flat_map(|prompt| prompt.live.iter().chain(&prompt.arms));
        all.filter(move |version| seen.insert(version.version_id))
    }
}
