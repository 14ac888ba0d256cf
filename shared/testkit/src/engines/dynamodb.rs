//! DynamoDB and its streams: dynoxide over one SQLite file.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use dynoxide::{Database, server::serve_with_shutdown};
use rusqlite::{Connection, OpenFlags};
use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

use super::{EngineError, Expired};
use crate::http::{Server, listen};

/// How often expired items are removed. AWS promises days; a short pace shows consumers the removals early.
const SWEEP: Duration = Duration::from_secs(2);

pub(super) async fn start(file: PathBuf, expired: Expired) -> Result<Server, EngineError> {
    let opened = spawn_blocking({
        let file = file.clone();
        move || open(&file)
    });
    let database =
        opened.await.map_err(|panic| EngineError::Damaged { file, reason: panic.to_string() })??;
    let listener = listen().map_err(EngineError::Listen)?;
    let address = listener.local_addr().map_err(EngineError::Listen)?;
    let sweeper = sweep(database.clone(), expired);
    Ok(Server::spawn(address, |stop| async move {
        let stopped = async {
            let _ = stop.await;
        };
        tokio::select! {
            served = serve_with_shutdown(listener, database, stopped) => {
                if let Err(reason) = served {
                    tracing::error!(reason, "the DynamoDB engine ended");
                }
            }
            () = sweeper => {}
        }
    }))
}

/// For finding the last stream record, and those after a number. The engine looks at all records that ever were, for
/// each write and each poll; they are never removed.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS _stream_records_by_number \
     ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// Opens the database, after a check of its pages when it exists: the engine itself would find damage only when a
/// request meets it.
fn open(file: &Path) -> Result<Database, EngineError> {
    let damaged = |reason: String| EngineError::Damaged { file: file.to_owned(), reason };
    if file.exists() {
        let verdict = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .and_then(|database| {
                database.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
            })
            .map_err(|error| damaged(error.to_string()))?;
        if verdict != "ok" {
            // The line before the last only names the database.
            return Err(damaged(verdict.lines().last().unwrap_or_default().to_owned()));
        }
    }
    let path = file.to_str().ok_or_else(|| damaged("its path is not UTF-8".to_owned()))?;
    let database = Database::new(path).map_err(|error| damaged(error.to_string()))?;
    let indexed = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .and_then(|connection| connection.execute_batch(STREAM_INDEX));
    indexed.map_err(|error| damaged(error.to_string()))?;
    Ok(database)
}

/// Removes expired items for ever, unless they are kept: the engine does not do it by itself.
async fn sweep(database: Database, expired: Expired) {
    if expired == Expired::Kept {
        return std::future::pending().await;
    }
    let mut pace = interval(SWEEP);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let database = database.clone();
        if let Ok(Err(error)) = spawn_blocking(move || database.sweep_ttl()).await {
            tracing::warn!(%error, "expired items could not be removed");
        }
    }
}
