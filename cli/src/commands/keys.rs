//! API keys.

use clap::{Args, Subcommand};
use client::keys::NewKey;
use domain::Timestamp;

use crate::{arguments::Most, failure::Result, session::Session};

const EXAMPLES: &str = "\
Examples:
  cuecard keys list --of-team support
  cuecard keys create support-ci --role author --of-team support -o json
  cuecard keys rotate key_…
  cuecard keys revoke key_… --yes";

/// API keys
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Keys {
    /// List the keys of a team, or those for all teams
    List {
        /// Whose; else those for all teams
        #[arg(long, value_name = "TEAM")]
        of_team: Option<String>,
        #[command(flatten)]
        most: Most,
    },
    /// Make a key; its secret is shown once
    Create(Create),
    /// Put another key in a key's place; both are good for a while
    Rotate(One),
    /// Revoke a key: it is refused everywhere within seconds
    Revoke(One),
}

#[derive(Args)]
pub struct One {
    /// Which key: key_<id>
    key: String,
}

#[derive(Args)]
pub struct Create {
    /// The person or service that it belongs to
    name: String,
    /// resolver, author, releaser or admin; each may what the former may
    #[arg(long)]
    role: String,
    /// For which team; `*` is all
    #[arg(long, value_name = "TEAM")]
    of_team: Option<String>,
    /// How to reach them
    #[arg(long)]
    email: Option<String>,
    /// Until when it is good
    #[arg(long, value_name = "TIME")]
    expires: Option<Timestamp>,
}

impl Keys {
    pub async fn run(self, session: &Session) -> Result {
        let (client, output) = (&session.client, session.output);
        match self {
            Self::List { of_team, most } => {
                output.show(&client.keys(of_team.as_deref(), most.count()).await?)
            }
            Self::Create(create) => create.run(session).await,
            Self::Rotate(One { key }) => {
                if !session.may(&format!("put another key in the place of {key}"))? {
                    return Ok(());
                }
                output.show(&client.rotate_key(&key).await?)
            }
            Self::Revoke(One { key }) => {
                // Whatever uses it stops, and that may be production.
                if !session.may_in(domain::PRODUCTION, &format!("revoke {key} for all who use it"))? {
                    return Ok(());
                }
                output.show(&client.revoke_key(&key).await?)
            }
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Result {
        let team_id = session.team_of(self.of_team.as_deref())?;
        if !session.may(&format!("make a key for {team_id} with the role {}", self.role))? {
            return Ok(());
        }
        let Self { name, role, email, expires, .. } = self;
        let new = NewKey { team_id, role, name, email, expires_at: expires };
        session.output.show(&session.client.create_key(&new).await?)
    }
}
