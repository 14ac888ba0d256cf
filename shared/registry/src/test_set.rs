//! Test sets: labelled cases in versions.

use domain::{
    Caller, Error, ErrorKind, KeyRole, Result, TeamId, TeamScope, TestSetId, Timestamp,
    audit::{Action, Fact},
    content::Literal,
    test_set::{Case, Format, ParsedTestSet, parse},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use store::{Change, Page, PageRequest, TestSet, TestSetVersion, UPLOAD_FOR};

use crate::{
    Act, Made, Registry,
    prompt::require_team,
    settle::{Step, contended},
};

/// How often a case is added anew after others changed the cases first.
const ADDING_TRIES: u32 = 8;

/// How many teams' test sets are read at once.
const READS: usize = 16;

/// Where to put a file, once.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// Under which name it is asked for afterwards.
    pub upload_id: String,
    /// Where to put it.
    pub url: String,
    /// Until when.
    pub expires_at: Timestamp,
}

impl Registry {
    /// Makes a test set without cases.
    pub async fn create_test_set(&self, act: &Act, team_id: &TeamId, name: &str) -> Result<Made<TestSet>> {
        act.caller.require(KeyRole::Author)?;
        require_team(&act.caller, team_id)?;
        if name.trim().is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
            return Err(Error::invalid("/name", "A test set's name has 1 to 200 printable characters."));
        }
        let attempt = || async {
            let set = TestSet {
                test_set_id: self.sources.id(),
                name: name.to_owned(),
                team_id: team_id.clone(),
                newest_version: 0,
                revision: 1,
                created_by: act.caller.actor.id.clone(),
                created_at: self.sources.now(),
                deleted_at: None,
                erased_up_to: None,
                erased_runs_up_to: None,
                erased_at: None,
            };
            let mut fact = Fact::new(&act.caller.actor, Action::TestSetCreated, set.test_set_id);
            fact.after = json!({ "name": set.name, "team_id": set.team_id });
            let mut change = self.test_set_change(&set, fact).await?;
            change.put_test_set(&set)?;
            if let Some(mark) = &act.once {
                change.once(mark, 201, set.test_set_id)?;
            }
            Ok(Step::commit(change, set))
        };
        let replay = |made: String| async move {
            self.test_set(&act.caller, made.parse().map_err(Error::internal)?).await
        };
        self.settle(act, attempt, replay).await
    }

    /// Opens an upload of a file that is too large for a request.
    pub async fn open_upload(&self, act: &Act, set: TestSetId) -> Result<NewUpload> {
        act.caller.require(KeyRole::Author)?;
        self.test_set(&act.caller, set).await?;
        let upload_id = hex::encode(self.sources.bytes::<16>());
        let url = self.store.upload_url(set, &upload_id).await?;
        Ok(NewUpload { upload_id, url, expires_at: self.sources.now().plus(UPLOAD_FOR) })
    }

    /// Puts a new version of the cases from an upload. Nothing is lost by a mistake: the upload goes only once its
    /// cases are kept.
    pub async fn put_uploaded_cases(
        &self,
        act: &Act,
        set: TestSetId,
        format: Format,
        upload: &str,
    ) -> Result<TestSetVersion> {
        act.caller.require(KeyRole::Author)?;
        self.test_set(&act.caller, set).await?;
        let missing = || {
            let detail = "Nothing was uploaded under this id. Put the file to the URL of the upload first.";
            Error::invalid("/upload_id", detail)
        };
        if upload.len() != 32 || !upload.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(missing());
        }
        let bytes = self.store.uploaded(set, upload).await?.ok_or_else(missing)?;
        let version = self.put_cases(act, set, format, bytes).await?;
        if let Err(error) = self.store.delete_upload(set, upload).await {
            tracing::warn!(test_set = %set, error = %error.chain(), "an upload is left for the bucket to expire");
        }
        Ok(version)
    }

    /// Puts a new version of the cases. All bad lines are reported, and then nothing is stored.
    pub async fn put_cases(
        &self,
        act: &Act,
        set: TestSetId,
        format: Format,
        bytes: Vec<u8>,
    ) -> Result<TestSetVersion> {
        act.caller.require(KeyRole::Author)?;
        self.test_set(&act.caller, set).await?;
        let checked = check(format, bytes).await?;
        let stored = self.keep_cases(act, set, &checked, None).await?.value;
        stored.ok_or_else(|| Error::internal("cases that replace any others were not stored"))
    }

    /// Adds one case to the newest ones, as a new version: an input that somebody tried, or an answer that failed.
    pub async fn add_case(&self, act: &Act, set: TestSetId, case: &Literal) -> Result<Made<TestSetVersion>> {
        act.caller.require(KeyRole::Author)?;
        // On its own first: what is wrong with it is said of it, and not of a line of all. Line ends are white space
        // in JSON, for in its texts they are escaped.
        Case::parse(case.as_str().as_bytes(), 1)?;
        let line = case.as_str().replace(['\r', '\n'], " ");
        for _ in 0..ADDING_TRIES {
            let newest = self.test_set(&act.caller, set).await?.newest_version;
            let mut cases = match newest {
                0 => Vec::new(),
                _ => self.cases(&act.caller, set, Some(newest)).await?,
            };
            if !cases.is_empty() && !cases.ends_with(b"\n") {
                cases.push(b'\n');
            }
            cases.extend_from_slice(line.as_bytes());
            cases.push(b'\n');
            let checked = check(Format::Jsonl, cases).await?;
            let Made { value, replayed } = self.keep_cases(act, set, &checked, Some(newest)).await?;
            if let Some(value) = value {
                return Ok(Made { value, replayed });
            }
        }
        Err(contended())
    }

    /// Stores checked cases; `None` when they were to follow another version than the newest.
    async fn keep_cases(
        &self,
        act: &Act,
        set: TestSetId,
        (parsed, jsonl): &(ParsedTestSet, Vec<u8>),
        follows: Option<u32>,
    ) -> Result<Made<Option<TestSetVersion>>> {
        let attempt = || async {
            let before = self.test_set(&act.caller, set).await?;
            if follows.is_some_and(|version| version != before.newest_version) {
                return Ok(Step::Done(None));
            }
            let cases = u32::try_from(parsed.cases.len()).unwrap_or(u32::MAX);
            let now = self.sources.now();
            let by = &act.caller.actor.id;
            let version = TestSetVersion::new(&before, cases, &parsed.sha256, jsonl.len() as u64, by, now);
            // The object comes first: a version in the table always has its cases.
            self.store.put_dataset(&version, jsonl.clone()).await?;
            let after =
                TestSet { newest_version: version.version, revision: before.revision + 1, ..before.clone() };
            let mut fact = Fact::new(&act.caller.actor, Action::TestSetVersionCreated, set);
            fact.after =
                json!({ "version": version.version, "cases": version.cases, "sha256": version.sha256 });
            let mut change = self.test_set_change(&after, fact).await?;
            change.put_test_set(&after)?;
            change.put_test_set_version(&version)?;
            if let Some(mark) = &act.once {
                change.once(mark, 201, version.version)?;
            }
            Ok(Step::commit(change, Some(version)))
        };
        let replay = |made: String| async move {
            self.store.test_set_version(set, made.parse().map_err(Error::internal)?).await
        };
        self.settle(act, attempt, replay).await
    }

    /// Deletes the cases of all versions, for they may hold personal data. What models said to them is erased after it,
    /// with all that is left over here, by the schedule: see [`Registry::erase_deleted`]. The figures of runs stay.
    pub async fn delete_test_set(&self, act: &Act, set: TestSetId) -> Result<TestSet> {
        act.caller.require(KeyRole::Author)?;
        let attempt = || async {
            let before = self.test_set(&act.caller, set).await?;
            let after = TestSet {
                deleted_at: Some(self.sources.now()),
                revision: before.revision + 1,
                ..before.clone()
            };
            let mut fact = Fact::new(&act.caller.actor, Action::TestSetDeleted, set);
            fact.before = json!({ "name": before.name, "newest_version": before.newest_version });
            let mut change = self.test_set_change(&after, fact).await?;
            change.put_test_set(&after)?;
            Ok(Step::commit(change, after))
        };
        let made = self.settle(act, attempt, |_| async { Err(missing()) }).await?;
        for number in 1..=made.value.newest_version {
            if let Some(version) = self.store.test_set_version(set, number).await?
                && let Err(error) = self.store.delete_dataset(&version).await
            {
                tracing::warn!(test_set = %set, error = %error.chain(), "cases are left for the schedule to erase");
            }
        }
        Ok(made.value)
    }

    /// A test set, if the caller may see it.
    pub async fn test_set(&self, caller: &Caller, set: TestSetId) -> Result<TestSet> {
        let found = self.store.test_set(set).await?;
        found.filter(|set| caller.sees(&set.team_id) && set.deleted_at.is_none()).ok_or_else(missing)
    }

    /// A page of the test sets of a team.
    pub async fn test_sets(
        &self,
        caller: &Caller,
        team: &TeamId,
        request: &PageRequest,
    ) -> Result<Page<TestSet>> {
        if !caller.sees(team) {
            return Ok(Page { data: Vec::new(), next_cursor: None });
        }
        let mut page = self.store.test_sets(team, request).await?;
        page.data.retain(|set| set.deleted_at.is_none());
        Ok(page)
    }

    /// The first of each of these teams' test sets, in the order of the teams.
    pub async fn test_sets_of(&self, caller: &Caller, teams: &[TeamId]) -> Result<Vec<TestSet>> {
        let first = &PageRequest::first(100);
        let reads = stream::iter(teams.to_vec())
            .map(|team| async move { self.test_sets(caller, &team, first).await });
        let pages: Vec<_> = reads.buffered(READS).try_collect().await?;
        Ok(pages.into_iter().flat_map(|page| page.data).collect())
    }

    /// A page of a test set's versions, newest first.
    pub async fn test_set_versions(
        &self,
        caller: &Caller,
        set: TestSetId,
        request: &PageRequest,
    ) -> Result<Page<TestSetVersion>> {
        self.test_set(caller, set).await?;
        self.store.test_set_versions(set, request).await
    }

    /// The cases of a version as they were uploaded; `None`: of the newest.
    pub async fn cases(&self, caller: &Caller, set: TestSetId, version: Option<u32>) -> Result<Vec<u8>> {
        let found = self.test_set(caller, set).await?;
        let version = version.unwrap_or(found.newest_version);
        let version = self.store.test_set_version(set, version).await?.ok_or_else(missing)?;
        self.store.dataset(&version).await
    }

    /// A test set of this very team.
    pub async fn test_set_of(&self, team: &TeamId, set: TestSetId) -> Result<TestSet> {
        let found = self.store.test_set(set).await?;
        found.filter(|set| set.team_id == *team && set.deleted_at.is_none()).ok_or_else(|| {
            Error::invalid("/test_set_id", format!("{set} is not a test set of the team `{team}`."))
        })
    }

    async fn test_set_change(&self, set: &TestSet, fact: Fact) -> Result<Change> {
        let team = self.team_or_new(&TeamScope::Team(set.team_id.clone())).await?;
        Change::of_team(&team, team.clone(), fact, &self.sources)
    }
}

/// Reads and checks cases. Compiling thousands of assertions takes a while: other requests go on meanwhile.
async fn check(format: Format, bytes: Vec<u8>) -> Result<(ParsedTestSet, Vec<u8>)> {
    let checking = tokio::task::spawn_blocking(move || {
        parse(format, &bytes).map(|parsed| (parsed.test_set, parsed.jsonl.into_owned()))
    });
    checking.await.map_err(Error::internal)?
}

fn missing() -> Error {
    Error::new(ErrorKind::NotFound, "No such test set is visible to this key.")
}
