//! Canaries.

use std::{str::FromStr, time::Duration};

use clap::{Args, Subcommand};
use client::rollouts::{NewRollout, Rollout, Stage, Step};
use domain::RolloutId;

use crate::{
    arguments::Most,
    failure::{Failure, Result},
    progress::Progress,
    session::Session,
    which::Which,
};

const EXAMPLES: &str = "\
Examples:
  cuecard canary start support/reply-drafter newest --reason \"Warmer tone\" --yes
  cuecard canary start support/reply-drafter 3 --stage 5:200:10 --stage 50:1000:30 --yes
  cuecard canary watch rol_…
  cuecard canary abort rol_… --reason \"Ratings fell\" --yes";

/// How often a canary that is watched is asked for.
const EVERY: Duration = Duration::from_secs(2);

/// A version for a few users, then for more
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Canary {
    /// List a prompt's canaries, newest first
    List(List),
    /// Show a canary
    Show(One),
    /// Watch a canary to its end
    Watch(One),
    /// Start a canary
    Start(Start),
    /// Go on to the next stage; after the last one, promote
    Advance(Do),
    /// Hold the stage
    Pause(Do),
    /// Go on with a paused canary
    Resume(Do),
    /// Serve the former version alone from now on
    Abort(Do),
}

#[derive(Args)]
pub struct List {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    #[command(flatten)]
    most: Most,
}

#[derive(Args)]
pub struct One {
    /// Which canary
    canary: RolloutId,
}

#[derive(Args)]
pub struct Do {
    /// Which canary
    canary: RolloutId,
    /// Why
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Args)]
pub struct Start {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// The version: its number or id, `newest`, or an environment where it is live
    version: Which,
    /// Where
    #[arg(long, value_name = "ENVIRONMENT", default_value = domain::PRODUCTION)]
    env: String,
    /// A stage: how many of 100 users, after how many answers and minutes the next begins; else 1, 5, 25, 50
    #[arg(long = "stage", value_name = "PERCENT:ANSWERS:MINUTES")]
    stages: Vec<GivenStage>,
    /// A breach holds the stage, rather than taking the version back
    #[arg(long)]
    no_auto_rollback: bool,
    /// Why
    #[arg(long)]
    reason: Option<String>,
}

/// A stage on the command line.
#[derive(Debug, Clone, PartialEq)]
struct GivenStage(Stage);

impl FromStr for GivenStage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no stage: it would be PERCENT:ANSWERS:MINUTES, as 5:200:10");
        let parts: Vec<_> = text.split(':').collect();
        let [percent, min_samples, bake_minutes] = parts.as_slice() else { return Err(wrong()) };
        Ok(Self(Stage {
            percent: percent.parse().map_err(|_| wrong())?,
            min_samples: min_samples.parse().map_err(|_| wrong())?,
            min_labels: None,
            bake_minutes: bake_minutes.parse().map_err(|_| wrong())?,
        }))
    }
}

impl Canary {
    pub async fn run(self, session: &Session) -> Result {
        let (client, output) = (&session.client, session.output);
        match self {
            Self::List(List { prompt, most }) => {
                output.show(&client.rollouts(&session.address(&prompt), most.count()).await?)
            }
            Self::Show(One { canary }) => output.show(&client.rollout(canary).await?),
            Self::Watch(One { canary }) => watch(session, canary).await,
            Self::Start(start) => start.run(session).await,
            Self::Advance(deed) => deed.run(session, Step::Advance).await,
            Self::Pause(deed) => deed.run(session, Step::Pause).await,
            Self::Resume(deed) => deed.run(session, Step::Resume).await,
            Self::Abort(deed) => deed.run(session, Step::Abort).await,
        }
    }
}

impl Start {
    async fn run(self, session: &Session) -> Result {
        let prompt = session.prompt(&self.prompt).await?;
        let version = session.version(&prompt, &self.version).await?;
        let stages = self.stages.into_iter().map(|stage| stage.0).collect::<Vec<_>>();
        let deed = format!(
            "serve version {} of {} to the first users in {}",
            version.version_number,
            prompt.address(),
            self.env
        );
        if !session.may_in(&self.env, &deed)? {
            return Ok(());
        }
        let new = NewRollout {
            version_id: version.version_id,
            environment: Some(self.env),
            stages: Some(stages).filter(|stages| !stages.is_empty()),
            guardrails: None,
            auto_rollback: self.no_auto_rollback.then_some(false),
            reason: self.reason,
        };
        session.output.show(&session.client.create_rollout(&prompt.prompt_id.to_string(), &new).await?)
    }
}

impl Do {
    async fn run(self, session: &Session, step: Step) -> Result {
        let canary = session.client.rollout(self.canary).await?;
        let deed = format!("{} {}, which serves {} %", step.name(), self.canary, canary.percent);
        // Holding the stage changes nothing for anybody.
        let environment = if step == Step::Pause { "" } else { &canary.environment };
        if !session.may_in(environment, &deed)? {
            return Ok(());
        }
        session.output.show(&session.client.step_rollout(self.canary, step, self.reason.as_deref()).await?)
    }
}

/// Watches a canary to its end, and tells by the exit code whether the version stayed.
async fn watch(session: &Session, id: RolloutId) -> Result {
    let progress = Progress::new("canary", 100);
    let canary = loop {
        let canary = session.client.rollout(id).await?;
        if canary.status != "active" {
            break canary;
        }
        progress.about(format!("canary at {} %: {} answers", canary.percent, canary.samples));
        progress.reach(reached(&canary), canary.stages.len());
        tokio::time::sleep(EVERY).await;
    };
    drop(progress);
    session.output.show(&canary)?;
    match canary.status.as_str() {
        "completed" => Ok(()),
        _ => Err(Failure::Refused("The canary was stopped: the former version serves everybody.".to_owned())),
    }
}

fn reached(canary: &Rollout) -> usize {
    canary.stage.unwrap_or(canary.stages.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_has_three_numbers() {
        let GivenStage(stage) = "2.5:200:10".parse().unwrap();
        assert!((stage.percent - 2.5).abs() < 1e-9);
        assert_eq!((stage.min_samples, stage.bake_minutes), (200, 10));
        for wrong in ["", "5", "5:1", "5:1:x", "5:1:1:1"] {
            assert!(wrong.parse::<GivenStage>().is_err(), "{wrong}");
        }
    }
}
