//! The keys of the cache, all of them.

use std::fmt::{self, Display, Formatter};

use domain::{Environment, PromptId, TeamId};

/// What the cache keeps.
///
/// The braces around a prompt's id put all that is about the prompt on one node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteKey {
    /// What is live in an environment.
    Ref(PromptId, Environment),
    /// A version, by its number.
    Version(PromptId, u32),
    /// The prompt of a name in a team.
    Name(TeamId, String),
    /// An API key, by its public part.
    ApiKey(String),
}

impl Display for RemoteKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ref(prompt, environment) => write!(f, "cue:{{{prompt}}}:ref:{environment}"),
            Self::Version(prompt, number) => write!(f, "cue:{{{prompt}}}:ver:{number}"),
            Self::Name(team, name) => write!(f, "cue:name:{team}/{name}"),
            Self::ApiKey(id) => write!(f, "cue:key:{id}"),
        }
    }
}
