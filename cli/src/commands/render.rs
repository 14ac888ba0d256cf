//! Rendering and resolving.

use clap::Args;
use client::resolve::Ask;

use crate::{failure::Result, session::Session, values::Variables, which::Which};

const EXAMPLES: &str = "\
Examples:
  cuecard render support/reply-drafter --var 'message=Where is my parcel?'
  cuecard render support/reply-drafter production --vars @values.json -o json";

const RESOLVE_EXAMPLES: &str = "\
Examples:
  cuecard resolve support/reply-drafter --var 'message=Where is my parcel?'
  cuecard resolve support/reply-drafter --env staging --for-user user-7 -o json";

/// Render a version with values, as resolving it would
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Render {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// The version: its number or id, `newest`, or an environment where it is live
    #[arg(default_value = "newest")]
    version: Which,
    #[command(flatten)]
    variables: Variables,
}

/// Resolve a prompt, as applications do
#[derive(Args)]
#[command(after_help = RESOLVE_EXAMPLES)]
pub struct Resolve {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// Where
    #[arg(long, value_name = "ENVIRONMENT", default_value = domain::PRODUCTION)]
    env: String,
    /// Who is served: experiments and canaries stick to it
    #[arg(long, value_name = "ID")]
    for_user: Option<String>,
    #[command(flatten)]
    variables: Variables,
}

impl Render {
    pub async fn run(self, session: &Session) -> Result {
        let prompt = session.prompt(&self.prompt).await?;
        let version = session.version_id(&prompt, &self.version).await?;
        session.output.show(&session.client.render(version, &self.variables.values()?).await?)
    }
}

impl Resolve {
    pub async fn run(self, session: &Session) -> Result {
        let ask = Ask {
            prompt: session.address(&self.prompt),
            env: self.env,
            variables: self.variables.values()?,
            user_id: self.for_user,
        };
        session.output.show(&session.client.resolve(&ask).await?)
    }
}
