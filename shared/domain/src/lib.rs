//! What Cuecard is about: prompts, versions, refs, gates, keys and their audit, as plain values and pure rules.
//!
//! **Invariant:** nothing here does I/O, reads a clock or draws a random number. Time, ids and randomness are
//! passed in through [`Sources`], so every rule can be tested exactly.

pub mod content;
pub mod error;
pub mod id;
pub mod sources;
pub mod time;

pub use error::{Error, ErrorKind, FieldProblem, Result};
pub use id::*;
pub use sources::{Clock, Entropy, Sources};
pub use time::Timestamp;
