//! Versions and their states.

use domain::{
    Error, PromptId, Result, Timestamp, Version, VersionId, VersionState, audit::AuditEntry, content::Content,
};
use serde::{Deserialize, Serialize};

use crate::{
    Change, Page, PageRequest, Slot, Store,
    change::Guard,
    keys::{Key, List, VERSION_STATES, VERSIONS, prompt_partition},
};

/// A version as it is stored: its content stands as JSON text, so that numbers stay as they were written.
#[derive(Serialize, Deserialize)]
struct VersionItem {
    version_id: VersionId,
    prompt_id: PromptId,
    number: u32,
    content: String,
    content_sha256: String,
    created_by: String,
    created_at: Timestamp,
    note: Option<String>,
}

/// Where a version is found by its id.
#[derive(Serialize, Deserialize)]
struct VersionPlace {
    prompt_id: PromptId,
    number: u32,
}

impl Change {
    /// Puts a new version, and where to find it.
    pub fn put_version(&mut self, version: &Version) -> Result<()> {
        let item = VersionItem {
            version_id: version.version_id,
            prompt_id: version.prompt_id,
            number: version.number,
            content: serde_json::to_string(&version.content).map_err(Error::internal)?,
            content_sha256: version.content_sha256.clone(),
            created_by: version.created_by.clone(),
            created_at: version.created_at,
            note: version.note.clone(),
        };
        let place = VersionPlace { prompt_id: version.prompt_id, number: version.number };
        self.put(Slot::Version, Key::Version(version.prompt_id, version.number), &item, Guard::Absent)?;
        self.put(Slot::Version, Key::VersionById(version.version_id), &place, Guard::Absent)
    }

    /// Insists that a version's state is still as it was read.
    pub fn require_version_state(&mut self, state: &VersionState) {
        let key = Key::VersionState(state.prompt_id, state.number);
        self.check(Slot::Version, key, Guard::Counter("revision", state.revision));
    }

    /// Puts a version's state; nobody may have changed it since the one before was read.
    pub fn put_version_state(&mut self, state: &VersionState) -> Result<()> {
        let guard = Guard::before(state.revision);
        let key = Key::VersionState(state.prompt_id, state.number);
        match state.waiting().max() {
            Some(newest) => {
                self.put_listed(Slot::Version, key, state, guard, &(List::Waiting, newest.to_string()))
            }
            None => self.put(Slot::Version, key, state, guard),
        }
    }
}

impl TryFrom<VersionItem> for Version {
    type Error = Error;

    fn try_from(item: VersionItem) -> Result<Self> {
        let content: Content = serde_json::from_str(&item.content).map_err(Error::internal)?;
        Ok(Self {
            version_id: item.version_id,
            prompt_id: item.prompt_id,
            number: item.number,
            content,
            content_sha256: item.content_sha256,
            created_by: item.created_by,
            created_at: item.created_at,
            note: item.note,
        })
    }
}

impl Store {
    /// Reads a version.
    pub async fn version(&self, prompt: PromptId, number: u32) -> Result<Option<Version>> {
        let item: Option<VersionItem> = self.get(&Key::Version(prompt, number)).await?;
        item.map(Version::try_from).transpose()
    }

    /// Reads the version that an entry of its prompt's chain tells of; `None`: it is not there.
    pub async fn version_told_of(&self, prompt: PromptId, entry: &AuditEntry) -> Result<Option<Version>> {
        let number = entry.after["version_number"].as_u64().and_then(|number| u32::try_from(number).ok());
        match number {
            Some(number) => self.version(prompt, number).await,
            None => Ok(None),
        }
    }

    /// Finds where a version is stored.
    pub async fn version_place(&self, version: VersionId) -> Result<Option<(PromptId, u32)>> {
        let place: Option<VersionPlace> = self.get(&Key::VersionById(version)).await?;
        Ok(place.map(|place| (place.prompt_id, place.number)))
    }

    /// Reads a version's state.
    pub async fn version_state(&self, prompt: PromptId, number: u32) -> Result<Option<VersionState>> {
        self.get(&Key::VersionState(prompt, number)).await
    }

    /// A page of the states of all versions of which a run waits for somebody to decide, the newest run first. The list
    /// follows the table a moment later.
    pub async fn versions_waiting(&self, request: &PageRequest) -> Result<Page<VersionState>> {
        self.page(self.query_list(&List::Waiting).scan_index_forward(false), request).await
    }

    /// A page of a prompt's versions, newest first.
    pub async fn versions(&self, prompt: PromptId, request: &PageRequest) -> Result<Page<Version>> {
        let query =
            self.query(&self.names.registry, prompt_partition(prompt), VERSIONS).scan_index_forward(false);
        let page: Page<VersionItem> = self.page(query, request).await?;
        let data = page.data.into_iter().map(Version::try_from).collect::<Result<_>>()?;
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    /// All states of a prompt's versions, newest first.
    pub async fn version_states(&self, prompt: PromptId) -> Result<Vec<VersionState>> {
        let query = self.query(&self.names.registry, prompt_partition(prompt), VERSION_STATES);
        self.all(query.scan_index_forward(false)).await
    }
}
