//! Use cases that write refs: promote, roll back, lock, rename, archive, start and end experiments and canaries. There
//! is no second way to move a ref.

mod evidence;
mod experiment;
mod gatekeeper;
mod lock;
mod moved;
mod overrides;
mod promote;
mod prompt;
mod restore;
mod rollback;
mod rolled_back;
mod rollout;
mod steer;
mod trial;

use domain::{Caller, Environment, KeyRole, Prompt, Ref, Result};
use registry::Registry;

pub use experiment::{NewExperiment, NewVariant, Stop};
pub use lock::NewLock;
pub use moved::{Moved, Reach};
pub use promote::Promotion;
pub use prompt::PromptUpdate;
pub use restore::{Restored, restore};
pub use rollback::Rollback;
pub use rolled_back::RolledBackView;
pub use rollout::{NewRollout, Step as RolloutStep};
pub use trial::Decided;

/// The use cases, over those that change no ref.
#[derive(Clone)]
pub struct Release {
    /// What changes no ref.
    pub registry: Registry,
}

impl Release {
    /// A ref, for reading.
    pub async fn reference(&self, caller: &Caller, address: &str, environment: &Environment) -> Result<Ref> {
        let prompt = self.registry.prompt(caller, address).await?;
        let found = self.registry.store.reference(prompt.prompt_id, environment).await?;
        found.ok_or_else(|| not_live(&prompt, environment))
    }
}

/// Production is a releaser's; every other environment is an author's.
fn require_mover(caller: &Caller, environment: &Environment) -> Result<()> {
    caller.require(if environment.is_production() { KeyRole::Releaser } else { KeyRole::Author })
}

fn not_live(prompt: &Prompt, environment: &Environment) -> domain::Error {
    domain::Error::new(
        domain::ErrorKind::NotLive,
        format!("`{}` has nothing in `{environment}`. Promote a version there first.", prompt.name),
    )
}
