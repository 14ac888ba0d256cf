//! A platform for tests: the functions' own routers and handlers over embedded engines, with a clock that the test
//! advances and pumps that the test steps.

mod binary;
mod call;
mod world;

pub use binary::local_binary;
pub use call::{Answer, Call};
pub use world::{ADMIN, Process, World, WorldSettings, text};
