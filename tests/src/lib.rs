//! A platform for tests: the functions' own routers and handlers over embedded engines, with a clock that the test
//! advances and pumps that the test steps.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a harness of tests fails by panicking")]

mod binary;
mod call;
mod world;

pub use binary::local_binary;
pub use call::{Answer, Call, text};
pub use world::{ADMIN, Process, World, WorldSettings};
