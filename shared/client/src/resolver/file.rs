//! What a resolver knows, in a file: from it a process starts while the platform does not answer.
//!
//! The first line names the form, the key and its signature over all that follows; that is one JSON object.

use std::{
    io::{self, ErrorKind, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use domain::{Environment, ReadAt, TeamId, Timestamp, VersionId, content::Content, key::PresentedKey};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tokio::{fs, task::spawn_blocking};

use super::{
    Known, Options,
    contents::{Contents, Page, Version},
};
use crate::{Client, Error, Result, snapshot::Entry};

/// What the first line begins with.
const FORM: &str = "cuecard-snapshot-1";

#[derive(Serialize, Deserialize)]
struct Kept {
    team_id: TeamId,
    environment: Environment,
    /// As of when it was true.
    true_at: Timestamp,
    entries: Vec<Entry>,
    versions: Vec<KeptVersion>,
}

#[derive(Serialize, Deserialize)]
struct KeptVersion {
    version_id: VersionId,
    version_number: u32,
    content: Content,
}

/// Writes the file anew, as a whole: a reader finds the former one or this one. Its owner alone may read it.
pub(super) async fn write(path: &Path, client: &Client, options: &Options, known: &Known) -> Result<()> {
    let key = key(client)?;
    let team = known.contents.team.clone().or_else(|| options.team.clone());
    let kept = Kept {
        team_id: team.ok_or(Error::NothingToKeep)?,
        environment: options.environment.clone(),
        true_at: known.read_at.wall().minus(known.age),
        entries: known.contents.entries().collect(),
        versions: known.contents.named().map(|version| KeptVersion::of(version)).collect(),
    };
    // What came as JSON has a form as JSON.
    let body = serde_json::to_vec(&kept).unwrap_or_default();
    let mut text = format!("{FORM} {} {}\n", key.id, key.sign(&body)).into_bytes();
    text.extend(body);
    let place = path.to_owned();
    let written = spawn_blocking(move || replace(&place, &text)).await.map_err(io::Error::other);
    written.flatten().map_err(|source| Error::File { path: path.to_owned(), source })
}

/// Lets a whole file take the place: others may be writing it too.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// What a file says; `None` where there is none.
pub(super) async fn read(path: &Path, client: &Client, options: &Options) -> Result<Option<Known>> {
    let text = match fs::read(path).await {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::File { path: path.to_owned(), source }),
    };
    let refused = |why: String| Error::Untrusted { path: path.to_owned(), why };
    let kept = opened(&text, &key(client)?).map_err(refused)?;
    if kept.environment != options.environment {
        return Err(refused(format!("it is of the environment `{}`", kept.environment)));
    }
    if options.team.as_ref().is_some_and(|team| *team != kept.team_id) {
        return Err(refused(format!("it is of the team `{}`", kept.team_id)));
    }
    let read_at = ReadAt::elsewhere(kept.true_at, &client.sources);
    let versions = kept.versions.into_iter().map(KeptVersion::ready).collect::<Result<_>>()?;
    // No page of the platform's has this tag: the first look reads all anew.
    let page = Page { cursor: None, tag: String::new(), entries: kept.entries, versions, next_cursor: None };
    let mut contents = Contents::of(kept.team_id, vec![Arc::new(page)], &Contents::default())?;
    contents.pages.clear();
    Ok(Some(Known { contents: Arc::new(contents), read_at, age: Duration::ZERO }))
}

/// What was signed with this very key; else why it is not believed.
fn opened(text: &[u8], key: &PresentedKey<'_>) -> std::result::Result<Kept, String> {
    let no_snapshot = || "it is no snapshot of this program's".to_owned();
    let end = text.iter().position(|byte| *byte == b'\n').ok_or_else(no_snapshot)?;
    let (head, body) = (&text[..end], &text[end + 1..]);
    let head = str::from_utf8(head).map_err(|_| no_snapshot())?;
    let mut words = head.split(' ');
    let (Some(FORM), Some(id), Some(signature), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(no_snapshot());
    };
    if id != key.id {
        return Err(format!("it was signed with another key, key_{id}"));
    }
    if !key.signed(body, signature) {
        return Err("its signature is wrong: it was altered, or is not whole".to_owned());
    }
    serde_json::from_slice(body).map_err(|_| no_snapshot())
}

fn key(client: &Client) -> Result<PresentedKey<'_>> {
    client.settings.api_key.as_deref().and_then(PresentedKey::parse).ok_or(Error::NoKey)
}

impl KeptVersion {
    fn of(version: &Version) -> Self {
        let Version { version_id, version_number, content, .. } = version;
        Self { version_id: *version_id, version_number: *version_number, content: content.clone() }
    }

    fn ready(self) -> Result<Arc<Version>> {
        Version::new(self.version_id, self.version_number, self.content).map(Arc::new)
    }
}
