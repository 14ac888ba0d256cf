//! Experiments.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use client::experiments::{NewExperiment, NewVariant, Stop as Wish};
use domain::ExperimentId;

use crate::{
    arguments::Most,
    failure::{Failure, Result},
    session::Session,
    values::document,
    which::Which,
};

const EXAMPLES: &str = "\
Examples:
  cuecard experiments start support/reply-drafter --variant production --variant newest --yes
  cuecard experiments start support/reply-drafter --variant 2=0.8 --variant 3=0.2 --strategy thompson_sampling --yes
  cuecard experiments start support/reply-drafter --file experiment.yaml --yes
  cuecard experiments show exp_…
  cuecard experiments stop exp_… --winner 3 --reason \"Clear enough\" --yes";

/// Versions side by side until one is better
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Experiments {
    /// List a prompt's experiments, newest first
    List(List),
    /// Show an experiment and what is known so far
    Show(One),
    /// List the weights that an experiment had
    Weights {
        /// Which experiment
        experiment: ExperimentId,
        #[command(flatten)]
        most: Most,
    },
    /// Start an experiment
    Start(Start),
    /// Stop an experiment
    Stop(Stop),
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
    /// Which experiment
    experiment: ExperimentId,
}

#[derive(Args)]
pub struct Start {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// A version, with its share of the traffic where they are not equal; the first is the control
    #[arg(long = "variant", value_name = "VERSION[=SHARE]", required_unless_present = "file")]
    variants: Vec<String>,
    /// All settings, as the API's body in .json or .yaml; what else is said here takes the place of what it says
    #[arg(long, short)]
    file: Option<PathBuf>,
    /// Where; else in production
    #[arg(long, value_name = "ENVIRONMENT")]
    env: Option<String>,
    /// `fixed_split` or `thompson_sampling`
    #[arg(long)]
    strategy: Option<String>,
    /// What is compared: `user_rating`, quality, success, `eval_score`, `latency_ms`, `cost_usd` or error
    #[arg(long)]
    metric: Option<String>,
    /// strict, balanced or manual
    #[arg(long)]
    decision: Option<String>,
    /// How many answers each variant needs before anything is decided
    #[arg(long, value_name = "COUNT")]
    min_samples: Option<u32>,
}

#[derive(Args)]
pub struct Stop {
    /// Which experiment
    experiment: ExperimentId,
    /// The version that shall be live; else the control stays
    #[arg(long, value_name = "VERSION")]
    winner: Option<Which>,
    /// Why
    #[arg(long)]
    reason: Option<String>,
}

impl Experiments {
    pub async fn run(self, session: &Session) -> Result {
        let (client, output) = (&session.client, session.output);
        match self {
            Self::List(List { prompt, most }) => {
                output.show(&client.experiments(&session.address(&prompt), most.count()).await?)
            }
            Self::Show(One { experiment }) => output.show(&client.experiment(experiment).await?),
            Self::Weights { experiment, most } => {
                output.show(&client.experiment_weights(experiment, most.count()).await?)
            }
            Self::Start(start) => start.run(session).await,
            Self::Stop(stop) => stop.run(session).await,
        }
    }
}

impl Start {
    async fn run(self, session: &Session) -> Result {
        let prompt = session.prompt(&self.prompt).await?;
        let mut new: NewExperiment = match &self.file {
            Some(path) => document(path)?,
            None => NewExperiment::default(),
        };
        if !self.variants.is_empty() {
            new.variants.clear();
        }
        for given in &self.variants {
            let (which, share) =
                given.split_once('=').map_or((given.as_str(), None), |(which, share)| (which, Some(share)));
            let share = share.map(str::parse).transpose();
            let wrong = |_| Failure::Usage(format!("--variant {given}: a share is a number, as 0.5"));
            let Ok(which) = which.parse::<Which>();
            let version_id = session.version_id(&prompt, &which).await?;
            new.variants.push(NewVariant { version_id, traffic_weight: share.map_err(wrong)?, key: None });
        }
        new.environment = self.env.or(new.environment);
        new.allocation_strategy = self.strategy.or(new.allocation_strategy);
        new.primary_metric = self.metric.or(new.primary_metric);
        new.decision = self.decision.or(new.decision);
        new.min_samples = self.min_samples.or(new.min_samples);
        let environment = new.environment.clone().unwrap_or_else(|| domain::PRODUCTION.to_owned());
        let deed = format!(
            "split the traffic of {} in {environment} over {} versions",
            prompt.address(),
            new.variants.len()
        );
        if !session.may_in(&environment, &deed)? {
            return Ok(());
        }
        session.output.show(&session.client.create_experiment(&prompt.prompt_id.to_string(), &new).await?)
    }
}

impl Stop {
    async fn run(self, session: &Session) -> Result {
        let experiment = session.client.experiment(self.experiment).await?;
        let prompt = session.prompt(&experiment.prompt_id.to_string()).await?;
        let winner_version_id = match &self.winner {
            Some(which) => Some(session.version_id(&prompt, which).await?),
            None => None,
        };
        let live = winner_version_id.map_or_else(|| "its control".to_owned(), |winner| winner.to_string());
        let deed = format!("stop {} and leave {live} live in {}", self.experiment, experiment.environment);
        if !session.may_in(&experiment.environment, &deed)? {
            return Ok(());
        }
        let wish = Wish { winner_version_id, reason: self.reason };
        session.output.show(&session.client.stop_experiment(self.experiment, &wish).await?)
    }
}
