//! Why a command did not do what it was asked for, and the exit code that says so.

use std::{error::Error as _, io, path::PathBuf};

use client::Problem;

/// What came of a command.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The API, or the way to it.
    #[error(transparent)]
    Api(#[from] client::Error),
    /// What was given does not read.
    #[error("{0}")]
    Usage(String),
    /// Something else failed.
    #[error("{0}")]
    Failed(String),
    /// What the gate would refuse.
    #[error("{0}")]
    Refused(String),
    /// There is no such thing.
    #[error("{0}")]
    Missing(String),
    /// Something changed meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// Something does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// A file.
    #[error("{}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: io::Error,
    },
    /// Nobody reads what is printed any more.
    #[error("nothing more can be printed")]
    Print(#[from] io::Error),
}

/// Problems that say: not this version, not now.
const REFUSALS: [&str; 9] = [
    "not-evaluated",
    "gate-failed",
    "review-needed",
    "evidence-stale",
    "staging-needed",
    "approval-needed",
    "experiment-running",
    "locked",
    "variables-incompatible",
];

impl Failure {
    /// A file that cannot be read or written.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }

    /// The exit code; `--help` lists them.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Api(client::Error::Refused(problem)) => code_of(problem),
            Self::Api(client::Error::Url(_)) | Self::Usage(_) => 2,
            Self::Api(client::Error::Unreachable { .. } | client::Error::Lost { .. })
            | Self::Unavailable(_) => 7,
            Self::Api(_) | Self::Failed(_) | Self::File { .. } | Self::Print(_) => 1,
            Self::Refused(_) => 3,
            Self::Missing(_) => 4,
            Self::Conflict(_) => 6,
        }
    }

    /// What the API said, where it was the API.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Api(error) => error.problem(),
            _ => None,
        }
    }

    /// The failure with all that caused it.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.ends_with(&words) {
                text = format!("{text}: {words}");
            }
            cause = error.source();
        }
        text
    }

    /// Whether the reader of a pipe has gone, which is nobody's mistake.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn code_of(problem: &Problem) -> u8 {
    match problem.status {
        409 if REFUSALS.contains(&problem.slug()) => 3,
        400 | 413..=415 | 422 => 2,
        401 | 403 => 5,
        404 | 410 => 4,
        409 | 412 => 6,
        429 | 502..=504 => 7,
        _ => 1,
    }
}
