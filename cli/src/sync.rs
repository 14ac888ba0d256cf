//! Files beside the registry: what differs, which side changed, and what is done about it.

mod labels;
mod plan;
mod report;
mod write;

pub use plan::{About, Plan, Standing, plan_all};
pub use report::{Line, report};
pub use write::write_all;

/// How many prompts are worked on at once.
pub const AT_ONCE: usize = 8;
