//! Test sets and their versions. The cases themselves are objects.

use domain::{Result, TeamId, TestSetId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Change, Page, PageRequest, Slot, Store,
    change::Guard,
    keys::{Key, List, VERSIONS, dataset_object, test_set_partition},
};

/// A test set: a name in a team, under which versions of cases are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestSet {
    /// Its id.
    pub test_set_id: TestSetId,
    /// Its name, for people.
    pub name: String,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The newest version; 0 before the first.
    pub newest_version: u32,
    /// Counts its changes.
    pub revision: u64,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was deleted: its cases are gone, its figures stay.
    pub deleted_at: Option<Timestamp>,
    /// Up to where in the list of its team's prompts what models said to its cases is erased.
    #[serde(default)]
    pub erased_up_to: Option<String>,
    /// Up to where in the list of the next one's runs it is.
    #[serde(default)]
    pub erased_runs_up_to: Option<String>,
    /// When all of that was erased.
    #[serde(default)]
    pub erased_at: Option<Timestamp>,
}

impl TestSet {
    /// Whether it is deleted, and something may be left of it.
    pub fn is_to_erase(&self) -> bool {
        self.deleted_at.is_some() && self.erased_at.is_none()
    }

    /// The list that it is in.
    pub(crate) fn list(&self) -> List<'_> {
        if self.is_to_erase() { List::Erasing } else { List::TestSets(&self.team_id) }
    }
}

/// A version of a test set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestSetVersion {
    /// The test set.
    pub test_set_id: TestSetId,
    /// 1, 2, 3, … within it.
    pub version: u32,
    /// How many cases.
    pub cases: u32,
    /// Where the cases are.
    pub object: String,
    /// SHA-256 of the object, in hex.
    pub sha256: String,
    /// How long the object is, in bytes.
    pub bytes: u64,
    /// Who uploaded it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

impl TestSetVersion {
    /// A version of a test set, whose object is named by its content too.
    pub fn new(
        set: &TestSet,
        cases: u32,
        sha256: &str,
        bytes: u64,
        created_by: &str,
        now: Timestamp,
    ) -> Self {
        let version = set.newest_version + 1;
        Self {
            test_set_id: set.test_set_id,
            version,
            cases,
            object: dataset_object(set.test_set_id, version, sha256),
            sha256: sha256.to_owned(),
            bytes,
            created_by: created_by.to_owned(),
            created_at: now,
        }
    }
}

impl Change {
    /// Puts a test set; nobody may have changed it since the one before was read.
    pub fn put_test_set(&mut self, set: &TestSet) -> Result<()> {
        let list = (set.list(), set.test_set_id.to_string());
        self.put_listed(Slot::TestSet, Key::TestSet(set.test_set_id), set, Guard::before(set.revision), &list)
    }

    /// Insists that a test set is still as it was read.
    pub fn require_test_set(&mut self, set: &TestSet) {
        self.check(Slot::TestSet, Key::TestSet(set.test_set_id), Guard::Counter("revision", set.revision));
    }

    /// Puts a new version of a test set, whose object is stored already.
    pub fn put_test_set_version(&mut self, version: &TestSetVersion) -> Result<()> {
        let key = Key::TestSetVersion(version.test_set_id, version.version);
        self.put(Slot::TestSet, key, version, Guard::Absent)
    }
}

impl Store {
    /// Reads a test set.
    pub async fn test_set(&self, set: TestSetId) -> Result<Option<TestSet>> {
        self.get(&Key::TestSet(set)).await
    }

    /// Reads a version of a test set.
    pub async fn test_set_version(&self, set: TestSetId, version: u32) -> Result<Option<TestSetVersion>> {
        self.get(&Key::TestSetVersion(set, version)).await
    }

    /// A page of a test set's versions, newest first.
    pub async fn test_set_versions(
        &self,
        set: TestSetId,
        request: &PageRequest,
    ) -> Result<Page<TestSetVersion>> {
        let query = self.query(&self.names.registry, test_set_partition(set), VERSIONS);
        self.page(query.scan_index_forward(false), request).await
    }

    /// A page of a team's test sets.
    pub async fn test_sets(&self, team: &TeamId, request: &PageRequest) -> Result<Page<TestSet>> {
        self.page(self.query_list(&List::TestSets(team)), request).await
    }
}
