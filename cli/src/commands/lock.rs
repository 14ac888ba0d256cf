//! Freezing an environment.

use clap::Args;
use client::environments::NewLock;
use domain::Timestamp;

use crate::{
    failure::{Failure, Result},
    session::Session,
};

const EXAMPLES: &str = "\
Examples:
  cuecard lock support/ticket-classifier --reason \"Sale weekend\" --until 2026-12-01T00:00:00Z
  cuecard lock support/ticket-classifier --off";

/// Freeze an environment, or take the freeze off
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Lock {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// Which environment
    #[arg(long, value_name = "ENVIRONMENT", default_value = domain::PRODUCTION)]
    env: String,
    /// Why nothing may be promoted there
    #[arg(long, required_unless_present = "off")]
    reason: Option<String>,
    /// Until when; else until somebody takes it off
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Take the freeze off
    #[arg(long, conflicts_with_all = ["reason", "until"])]
    off: bool,
}

impl Lock {
    pub async fn run(self, session: &Session) -> Result {
        let address = session.address(&self.prompt);
        let deed = if self.off { "unlock" } else { "lock" };
        if !session.may(&format!("{deed} {} of {address}", self.env))? {
            return Ok(());
        }
        let environment = if self.off {
            session.client.unlock(&address, &self.env).await?
        } else {
            let reason = self.reason.ok_or_else(|| Failure::Usage("Why? Say --reason".to_owned()))?;
            session.client.lock(&address, &self.env, &NewLock { until: self.until, reason }).await?
        };
        session.output.show(&environment)
    }
}
