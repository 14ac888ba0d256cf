//! Test sets.

use domain::{TeamId, TestSetId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Client, Page, Result, page::OfTeam};

/// The most bytes of cases that one request takes.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// A test set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestSet {
    /// Its id.
    pub test_set_id: TestSetId,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub team_id: TeamId,
    /// The newest version; 0 before the first cases.
    pub newest_version: u32,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// A version of a test set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestSetVersion {
    /// The test set.
    pub test_set_id: TestSetId,
    /// 1, 2, 3, …
    pub version: u32,
    /// How many cases it has.
    pub cases: u32,
    /// The hash of its cases.
    pub sha256: String,
    /// Who put it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// A test set to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTestSet {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub team_id: TeamId,
}

/// Where to put a file, once.
#[derive(Deserialize)]
struct Upload {
    upload_id: String,
    url: String,
}

#[derive(Serialize)]
struct Uploaded<'u> {
    upload_id: &'u str,
    content_type: &'u str,
}

#[derive(Serialize)]
struct OfVersion {
    version: Option<u32>,
}

impl Client {
    /// Makes a test set without cases.
    pub async fn create_test_set(&self, new: &NewTestSet) -> Result<TestSet> {
        self.post_once("/api/test-sets").json(new).answer().await
    }

    /// Lists the test sets of a team; a key of one team may leave it out.
    pub async fn test_sets(&self, team_id: Option<&str>, most: usize) -> Result<Page<TestSet>> {
        self.list("/api/test-sets", &OfTeam { team_id }, most).await
    }

    /// A test set.
    pub async fn test_set(&self, set: TestSetId) -> Result<TestSet> {
        self.get(&format!("/api/test-sets/{set}")).answer().await
    }

    /// Lists the versions of a test set, newest first.
    pub async fn test_set_versions(&self, set: TestSetId, most: usize) -> Result<Page<TestSetVersion>> {
        self.list(&format!("/api/test-sets/{set}/versions"), &(), most).await
    }

    /// Puts a new version of the cases: `application/jsonl`, `text/csv`, or promptfoo's `application/yaml`. What is
    /// too large for a request is uploaded first.
    pub async fn put_cases(
        &self,
        set: TestSetId,
        media_type: &str,
        cases: Vec<u8>,
    ) -> Result<TestSetVersion> {
        let versions = format!("/api/test-sets/{set}/versions");
        if cases.len() <= LARGEST_BODY {
            return self.put(&versions).body(media_type, cases).answer().await;
        }
        let open = self.post_once(&format!("/api/test-sets/{set}/uploads")).json(&json!({}));
        let Upload { upload_id, url } = open.answer().await?;
        self.put_to(url).body(media_type, cases).bytes().await?;
        let uploaded = Uploaded { upload_id: &upload_id, content_type: media_type };
        self.put(&versions).json(&uploaded).answer().await
    }

    /// The cases of a version as they were uploaded; `None`: of the newest.
    pub async fn test_set_cases(&self, set: TestSetId, version: Option<u32>) -> Result<Vec<u8>> {
        self.get(&format!("/api/test-sets/{set}/cases")).query(&OfVersion { version }).bytes().await
    }

    /// Adds one case, given as JSON, to the newest ones.
    pub async fn add_case(&self, set: TestSetId, case: &str) -> Result<TestSetVersion> {
        let path = format!("/api/test-sets/{set}/cases");
        self.post_once(&path).body("application/json", case.as_bytes().to_vec()).answer().await
    }

    /// Deletes a test set with the cases of all its versions.
    pub async fn delete_test_set(&self, set: TestSetId) -> Result<()> {
        self.delete(&format!("/api/test-sets/{set}")).bytes().await.map(|_| ())
    }
}
