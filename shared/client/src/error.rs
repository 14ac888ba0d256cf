//! What can go wrong between a question and its answer.

use std::{io, path::PathBuf};

use domain::VersionId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What came of a request.
pub type Result<T> = std::result::Result<T, Error>;

/// Why there is no answer to use.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings name no place to ask.
    #[error("`{0}` is no URL of an API: it would be https://host or http://127.0.0.1:7070")]
    Url(String),
    /// This machine cannot make requests.
    #[error("no request can be made on this machine")]
    Unusable(#[source] reqwest::Error),
    /// Nobody listens there.
    #[error("{url} cannot be reached")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The connection was lost: whether the request was worked on is not known.
    #[error("{url} did not answer in time, or the connection was lost")]
    Lost {
        /// Where.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The API says no.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// The answer is none of this API.
    #[error("{url} answered something else than this program knows: is it Cuecard, of the same version?")]
    NotUnderstood {
        /// Where.
        url: String,
        /// What does not read.
        #[source]
        source: serde_json::Error,
    },
    /// A resolver is told of a version that it was not told the content of.
    #[error("{0} is named and not told: is the platform of the same version as this program?")]
    Missing(VersionId),
    /// A resolver cannot render a version.
    #[error("{version_id} cannot be rendered here: is the platform newer than this program?")]
    Version {
        /// Which one.
        version_id: VersionId,
        /// Why.
        #[source]
        source: Box<domain::Error>,
    },
    /// A resolver is told that nothing has changed, or is to keep what it knows, and knows nothing yet.
    #[error("nothing is known of any prompt yet")]
    NothingToKeep,
    /// Files of a resolver are signed with the API key.
    #[error("a snapshot is signed with the API key, and this client has none")]
    NoKey,
    /// The file of a resolver can be read or written no more than any other there.
    #[error("{} cannot be read or written", .path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file of a resolver is not believed.
    #[error("{} is not used: {why}", .path.display())]
    Untrusted {
        /// Which one.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl Error {
    /// The problem, where the API said one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether the API says that this key may not, or is none.
    pub fn refuses_the_key(&self) -> bool {
        self.problem().is_some_and(|problem| matches!(problem.status, 401 | 403))
    }

    /// Whether the API says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.problem().is_some_and(|problem| problem.status == 404)
    }
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI whose last part names the kind of problem.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The kind in words.
    #[serde(default)]
    pub title: String,
    /// The status.
    #[serde(default)]
    pub status: u16,
    /// What happened, and what to do.
    pub detail: String,
    /// The request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What is wrong where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// What else is told: runs, cases, versions.
    #[serde(flatten)]
    pub facts: Map<String, Value>,
}

/// What is wrong in one place of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What.
    pub detail: String,
}

impl Problem {
    /// The kind as one word: `gate-failed`.
    pub fn slug(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }

    /// What was answered; words of a gateway's become the detail.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let read = serde_json::from_slice::<Self>(body).map(|problem| Self { status, ..problem });
        read.unwrap_or_else(|_| {
            let said = String::from_utf8_lossy(body);
            let said: String = said.trim().chars().take(200).collect();
            Self {
                kind: String::new(),
                title: "Not an answer of the API".to_owned(),
                status,
                detail: format!("The server answered {status} without saying why: {said}"),
                instance: None,
                errors: Vec::new(),
                facts: Map::new(),
            }
        })
    }
}
