//! What Cuecard is about: prompts, versions, refs, gates, keys and their audit, as plain values and pure rules.
//!
//! **Invariant:** nothing here does I/O, reads a clock or draws a random number. Time, ids and randomness are
//! passed in through [`Sources`], so every rule can be tested exactly.

pub mod alarm;
pub mod allocation;
pub mod assertion;
pub mod audit;
pub mod budget;
pub mod content;
pub mod counter;
pub mod diff;
pub mod error;
pub mod eval_run;
pub mod experiment;
pub mod figure;
pub mod gate;
pub mod id;
pub mod key;
pub mod measure;
pub mod metric;
pub mod model;
pub mod money;
pub mod name;
pub mod place;
pub mod prompt;
mod read_at;
pub mod reference;
pub mod replay;
pub mod rollout;
pub mod sources;
pub mod template;
pub mod test_set;
pub mod time;
pub mod token;
pub mod trace;
pub mod trial;
pub mod version;
pub mod webhook;

pub use alarm::Alarm;
pub use error::{Error, ErrorKind, FieldProblem, Result};
pub use eval_run::EvalRun;
pub use figure::Figure;
pub use id::*;
pub use key::{Actor, ApiKey, Caller, KeyRole, TeamScope};
pub use name::{Environment, PRODUCTION, PromptName, STAGING, TeamId};
pub use prompt::{Prompt, Team};
pub use read_at::ReadAt;
pub use reference::Ref;
pub use sources::{Clock, Entropy, Sources};
pub use time::Timestamp;
pub use trace::TraceId;
pub use trial::Trial;
pub use version::{EvalStatus, Version, VersionPointer, VersionState};
pub use webhook::Webhook;
