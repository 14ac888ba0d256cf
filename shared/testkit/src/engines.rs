//! DynamoDB with its streams, S3 and SQS: in this process over one data folder, or, for tests, in one of moto.
//!
//! In this process, tables, stream records and objects survive a kill of the process. Queues and their messages are in
//! memory only: whoever starts the engines creates the queues again, and work that was queued has to be dispatched
//! again.

mod dynamodb;
mod moto;
mod s3;
mod sqs;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use self::moto::Moto;
use crate::http::Server;

/// The access key that the engines take.
pub const ACCESS_KEY: &str = "cuecard";
/// The secret that belongs to [`ACCESS_KEY`].
pub const SECRET_KEY: &str = "cuecard-secret";
/// The region that clients name.
pub const REGION: &str = "us-east-1";
/// The account in the ARNs of queues.
pub const ACCOUNT: &str = "000000000000";

/// Where the engines listen: URLs without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// DynamoDB and DynamoDB Streams.
    pub dynamodb: String,
    /// S3; a bucket is the first segment of the path.
    pub s3: String,
    /// SQS. Queue URLs contain its port, which is another one after each start.
    pub sqs: String,
}

/// Why the engines cannot start, and what to do about it, in one line.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The folder cannot be made or written.
    #[error(
        "the data folder {folder} cannot be written ({source}): make it writable, or name another folder"
    )]
    Folder {
        /// The data folder, or the part of it.
        folder: PathBuf,
        /// What the file system says.
        source: io::Error,
    },
    /// Somebody else holds the folder's lock.
    #[error("the data folder {folder} is in use by another process: stop that one, or name another folder")]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// The database does not open or fails its check.
    #[error("the database {file} is damaged ({reason}): restore a copy, or move it away to start empty")]
    Damaged {
        /// The database file.
        file: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// No port can be opened.
    #[error("no port can be opened on 127.0.0.1 ({0}): allow this process to listen there")]
    Listen(io::Error),
}

/// The running engines. Dropping them cuts what is running; [`Engines::stop`] lets it finish.
#[derive(Debug)]
pub struct Engines {
    endpoints: Endpoints,
    // Fields drop in this order, here and below: the lock goes after the servers, the folder last.
    running: Running,
    _temporary: Option<TempDir>,
}

#[derive(Debug)]
enum Running {
    Embedded { servers: [Server; 3], _lock: File },
    Moto { _server: Box<Moto> },
}

/// What becomes of items whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    /// They are removed, by the clock of the machine.
    Removed,
    /// They stay: for tests with a clock of their own, to which the machine's says nothing.
    Kept,
}

impl Engines {
    /// Starts the engines over a folder, which is made when it does not exist.
    pub async fn start(folder: &Path, expired: Expired) -> Result<Self, EngineError> {
        let lock = lock(folder)?;
        let tables = dynamodb::start(folder.join("tables.sqlite"), expired).await?;
        let objects = s3::start(&folder.join("objects"))?;
        let queues = sqs::start()?;
        let endpoints = Endpoints { dynamodb: tables.url(), s3: objects.url(), sqs: queues.url() };
        let running = Running::Embedded { servers: [tables, objects, queues], _lock: lock };
        Ok(Self { endpoints, running, _temporary: None })
    }

    /// Starts the engines over a folder that is removed with them.
    pub async fn ephemeral(expired: Expired) -> Result<Self, EngineError> {
        let folder = TempDir::with_prefix("cuecard-")
            .map_err(|source| EngineError::Folder { folder: std::env::temp_dir(), source })?;
        let engines = Self::start(folder.path(), expired).await?;
        Ok(Self { _temporary: Some(folder), ..engines })
    }

    /// Starts those of `program`, a `moto_server`, with everything in memory. What expires stays.
    pub async fn of_moto(program: &Path) -> io::Result<Self> {
        let (server, endpoints) = Moto::start(program).await?;
        Ok(Self { endpoints, running: Running::Moto { _server: Box::new(server) }, _temporary: None })
    }

    /// Where they listen.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Lets running requests finish, for a few seconds at most, and ends.
    pub async fn stop(mut self) {
        if let Running::Embedded { servers, .. } = &mut self.running {
            for server in servers {
                server.stop().await;
            }
        }
    }
}

/// Makes the folder and takes its lock, which the system frees even when this process is killed.
fn lock(folder: &Path) -> Result<File, EngineError> {
    let unwritable = |source| EngineError::Folder { folder: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(unwritable)?;
    let lock = File::create(folder.join("lock")).map_err(unwritable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(EngineError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(unwritable(source)),
    }
}

#[cfg(test)]
mod tests;
