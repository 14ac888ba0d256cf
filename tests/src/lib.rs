//! A platform for tests: the functions' own routers and handlers over embedded engines, with a clock that the test
//! advances and pumps that the test steps.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a harness of tests fails by panicking")]

mod binary;
pub mod browser;
mod call;
mod dice;
mod fleet;
mod logged;
pub mod metrics;
mod process;
mod queues;
mod raised;
pub mod report;
mod usage;
mod world;

pub use binary::{FUNCTIONS, Profile, bootstrap, cache_program, local_binary, moto_program};
pub use call::{Answer, Call, text};
pub use dice::{Dice, any_seed};
pub use fleet::{Fleet, FleetSettings, PRIVATE, function_of};
pub use logged::{keep_out, leaks, logged};
pub use process::Process;
pub use raised::Raised;
pub use usage::{cpu_of, memory_of, peak_memory_of, session_of};
pub use world::{ADMIN, ARCHIVE, World, WorldSettings};
