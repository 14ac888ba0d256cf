//! How far a consumer has come: the sequence number of the last record behind it, in a file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tokio::fs;

use crate::event_source::Failure;

#[derive(Serialize, Deserialize)]
struct Checkpoint {
    after: String,
}

/// Reads the number; `None` when there is no file or it is no checkpoint: records may come twice, so to start at the
/// oldest is always right.
pub(super) async fn load(file: &Path) -> Option<String> {
    let checkpoint: Checkpoint = serde_json::from_slice(&fs::read(file).await.ok()?).ok()?;
    Some(checkpoint.after)
}

/// Replaces the file in one move, so that a kill leaves the old number or the new one.
pub(super) async fn save(file: &Path, after: String) -> Result<(), Failure> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).await?;
    }
    let next = file.with_extension("next");
    fs::write(&next, serde_json::to_vec(&Checkpoint { after })?).await?;
    Ok(fs::rename(next, file).await?)
}
