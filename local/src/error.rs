//! Why the platform does not start, each in one line that says what to do.

use std::{error::Error as _, io, path::PathBuf};

use testkit::EngineError;

/// Why the platform does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be listened on.
    #[error(
        "the port {port} cannot be opened on 127.0.0.1 ({source}): stop what uses it, or choose another with --port"
    )]
    Port {
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// The data folder or what is in it.
    #[error("{0} (--data)")]
    Engines(#[from] EngineError),
    /// `--admin-key` is no key.
    #[error(
        "--admin-key takes a whole key, cue_<id>_<secret>, with an id of letters, digits and -, and a secret without blanks"
    )]
    AdminKey,
    /// The file that keeps the admin key.
    #[error(
        "the admin key in {file} cannot be used ({reason}): delete the file to get a new key, or give one with --admin-key"
    )]
    AdminKeyFile {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The environment.
    #[error("{0}: correct the environment variable, or leave it out")]
    Configuration(String),
    /// The demo workspace.
    #[error("the demo workspace cannot be loaded ({}): start with --empty", .0.chain())]
    Demo(domain::Error),
    /// A table that is brought up to its archive.
    #[error("the table is not restored ({}): what was done stays, so correct it and begin again", .0.chain())]
    Restore(domain::Error),
    /// Some of it is not there.
    #[error("not all of the archive was followed, or it has not all: docs/restore.md says what to do")]
    NotWhole,
    /// The system does not tell us of signals.
    #[error("signals cannot be listened for ({0}): look at the limits of this process")]
    Signals(io::Error),
    /// The platform over the engines.
    #[error("the platform cannot start ({}): try again, or name another folder with --data", .0.chain())]
    Platform(#[from] domain::Error),
}

impl StartError {
    /// What is wrong with the environment.
    pub(crate) fn configuration(error: &domain::Error) -> Self {
        Self::Configuration(error.source().map_or_else(|| error.to_string(), ToString::to_string))
    }
}
