//! API keys.

use clap::{Args, Subcommand};
use client::keys::NewKey;
use domain::{
    Timestamp,
    key::{HashedKey, PresentedKey, key_id},
};
use serde::Serialize;

use crate::{
    arguments::OfTeam,
    failure::Result,
    output::Output,
    paper::{Paper, Show},
    session::Session,
    sources,
};

const EXAMPLES: &str = "\
Examples:
  cuecard keys list --of-team support
  cuecard keys create support-ci --role author --of-team support -o json
  cuecard keys rotate key_…
  cuecard keys revoke key_… --yes
  cuecard keys draw                                  the first of a deployment; needs no platform and no network";

/// API keys
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Keys {
    /// List the keys of a team, or those for all teams
    List(OfTeam),
    /// Make a key; its secret is shown once
    Create(Create),
    /// Put another key in a key's place; both are good for a while
    Rotate(One),
    /// Revoke a key: it is refused everywhere within seconds
    Revoke(One),
    /// Draw the first key of a deployment, here: the deployment is told its hash
    Draw,
}

/// A key that no platform knows yet.
#[derive(Serialize)]
struct DrawnKey {
    key_id: String,
    /// `cue_<id>_<secret>`.
    secret: String,
    /// What a deployment is told.
    admin_key: String,
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
            Self::Draw => draw(output),
            Self::List(OfTeam { of_team, most }) => {
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

/// Draws a key. Needs nothing but this machine.
pub fn draw(output: Output) -> Result {
    let (id, secret) = PresentedKey::generate(&sources::system());
    let hashed = HashedKey::of(&PresentedKey { id: &id, secret: &secret });
    output.show(&DrawnKey {
        key_id: key_id(&id),
        secret: format!("cue_{id}_{secret}"),
        admin_key: hashed.to_string(),
    })
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

impl Show for DrawnKey {
    fn show(&self, paper: &mut Paper) {
        paper.pair("secret", self.secret.clone());
        paper.pair("parameter", format!("AdminKey={}", self.admin_key));
        paper.line("\nThe secret is shown only now: keep it where secrets are kept. The deployment is told the parameter.");
    }
}
