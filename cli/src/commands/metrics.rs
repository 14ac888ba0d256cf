//! What calls came to.

use clap::{Args, ValueEnum};
use client::metrics::{MetricsQuery, RankingQuery, TeamMetricsQuery};
use domain::Timestamp;

use crate::{failure::Result, session::Session, values::moment};

const EXAMPLES: &str = "\
Examples:
  cuecard metrics                                  the dearest prompts of the last 7 days
  cuecard metrics --sort errors --days 1
  cuecard metrics support/ticket-classifier --from 7d --bucket day
  cuecard metrics support/ticket-classifier --group-by environment
  cuecard metrics --of-team support --from 30d";

/// What calls came to: latency, cost, errors, ratings
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Metrics {
    /// The prompt: its id, its name, or team/name; else all prompts in order
    #[arg(group = "whose")]
    prompt: Option<String>,
    /// All prompts of a team, by day
    #[arg(long, value_name = "TEAM", group = "whose")]
    of_team: Option<String>,
    /// From when on: a time, or how long ago, as 12h or 7d
    #[arg(long, value_name = "TIME", requires = "whose")]
    from: Option<String>,
    /// Until when
    #[arg(long, value_name = "TIME", requires = "whose")]
    to: Option<String>,
    /// How long a bucket is; a team's is a day
    #[arg(long, value_enum, requires = "whose")]
    bucket: Option<Bucket>,
    /// What is told apart
    #[arg(long, value_enum, requires = "prompt", conflicts_with = "of_team")]
    group_by: Option<Group>,
    /// Which prompts come first
    #[arg(long, value_enum, conflicts_with_all = ["prompt", "of_team"])]
    sort: Option<Sort>,
    /// Over how many days prompts are ranked
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["prompt", "of_team"])]
    days: Option<u32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Bucket {
    Hour,
    Day,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Group {
    Version,
    Environment,
    Variant,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sort {
    Cost,
    Calls,
    Errors,
    Rating,
}

/// The name of a choice, which is the API's too.
fn name(choice: Option<impl ValueEnum>) -> Option<String> {
    Some(choice?.to_possible_value()?.get_name().to_owned())
}

impl Metrics {
    pub async fn run(self, session: &Session) -> Result {
        let (client, output) = (&session.client, session.output);
        let at = |text: &Option<String>| -> Result<Option<Timestamp>> {
            text.as_deref().map(|text| moment(text, client.now())).transpose()
        };
        let (from, to, bucket) = (at(&self.from)?, at(&self.to)?, name(self.bucket));
        if let Some(team) = &self.of_team {
            return output.show(&client.team_metrics(team, &TeamMetricsQuery { from, to, bucket }).await?);
        }
        let Some(prompt) = &self.prompt else {
            let query = RankingQuery { sort: name(self.sort), days: self.days };
            return output.show(&client.ranking(&query).await?);
        };
        let query = MetricsQuery { from, to, bucket, group_by: name(self.group_by) };
        output.show(&client.prompt_metrics(&session.address(prompt), &query).await?)
    }
}
