//! Webhooks.

use clap::{Args, Subcommand};
use client::webhooks::NewWebhook;

use crate::{arguments::OfTeam, failure::Result, session::Session};

const EXAMPLES: &str = "\
Examples:
  cuecard webhooks list --of-team support
  cuecard webhooks create https://hooks.example.com/cuecard --on promotion,rollback --of-team support
  cuecard webhooks create https://hooks.slack.com/services/… --on review.needed --format slack
  cuecard webhooks rotate whk_…
  cuecard webhooks delete whk_…";

/// Webhooks: who is told of versions, verdicts, releases and trials
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Webhooks {
    /// List the webhooks of a team, or those for all teams
    List(OfTeam),
    /// Make a webhook; its secret is shown once
    Create(Create),
    /// Replace a webhook's secret; both sign for a while
    Rotate(One),
    /// Delete a webhook: nothing is sent there any more
    Delete(One),
}

#[derive(Args)]
pub struct One {
    /// Which webhook: whk_<id>
    webhook: String,
}

#[derive(Args)]
pub struct Create {
    /// Where messages are sent: a public `https` address without a query
    address: String,
    /// Of what, separated by commas: version.created, gate.passed, gate.failed, review.needed, promotion, rollback,
    /// experiment.started|ended, canary.started|advanced|paused|resumed|ended
    #[arg(long, value_name = "EVENTS", value_delimiter = ',', required = true)]
    on: Vec<String>,
    /// json, or slack for sentences
    #[arg(long)]
    format: Option<String>,
    /// Of which team's prompts; `*` is all
    #[arg(long, value_name = "TEAM")]
    of_team: Option<String>,
}

impl Webhooks {
    pub async fn run(self, session: &Session) -> Result {
        let (client, output) = (&session.client, session.output);
        match self {
            Self::List(OfTeam { of_team, most }) => {
                output.show(&client.webhooks(of_team.as_deref(), most.count()).await?)
            }
            Self::Create(create) => create.run(session).await,
            Self::Rotate(One { webhook }) => {
                if !session.may(&format!("replace the secret of {webhook}"))? {
                    return Ok(());
                }
                output.show(&client.rotate_webhook(&webhook).await?)
            }
            Self::Delete(One { webhook }) => {
                if !session.may(&format!("delete {webhook}"))? {
                    return Ok(());
                }
                output.show(&client.delete_webhook(&webhook).await?)
            }
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Result {
        let team_id = session.team_of(self.of_team.as_deref())?;
        if !session.may(&format!("tell {} of {} in {team_id}", self.address, self.on.join(", ")))? {
            return Ok(());
        }
        let Self { address, on, format, .. } = self;
        let new = NewWebhook { team_id, url: address, events: on, format };
        session.output.show(&session.client.create_webhook(&new).await?)
    }
}
