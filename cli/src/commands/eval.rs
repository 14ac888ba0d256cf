//! Evaluations.

use clap::{Args, Subcommand, ValueEnum};
use client::evals::{Eval as Run, NewEval};
use domain::{EvalRunId, TestSetId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    arguments::Most,
    failure::{Failure, Result},
    output::print,
    progress::Progress,
    session::Session,
    which::Which,
};

const EXAMPLES: &str = "\
Examples:
  cuecard eval run support/ticket-classifier newest --watch
  cuecard eval run support/ticket-classifier 4 --model gpt-4o --repeats 3
  cuecard eval list support/ticket-classifier
  cuecard eval cases evl_… --outcome regressed
  cuecard eval summary evl_… > summary.md          for a pull request

With --watch the exit code tells the verdict: 0 passed, 3 failed or too close to call, 1 without a verdict.";

/// Evaluations: ask for one, watch it, see its cases
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Eval {
    /// Ask for an evaluation of a version
    Run(New),
    /// List a prompt's evaluations, or all that stand so
    List(List),
    /// Show an evaluation
    Show(One),
    /// Watch an evaluation to its end
    Watch(One),
    /// List what came of the cases
    Cases(Cases),
    /// Print an evaluation in Markdown
    Summary(One),
    /// Stop an evaluation
    Cancel(One),
}

#[derive(Args)]
pub struct One {
    /// Which evaluation
    run: EvalRunId,
}

#[derive(Args)]
pub struct New {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// The version: its number or id, `newest`, or an environment where it is live
    #[arg(default_value = "newest")]
    version: Which,
    /// Watch it to its end
    #[arg(long, short)]
    watch: bool,
    /// On which test set; else on the prompt's
    #[arg(long, value_name = "TEST_SET")]
    test_set: Option<TestSetId>,
    /// On which model; else on the version's
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// How often each case is asked
    #[arg(long, value_name = "COUNT")]
    repeats: Option<u32>,
    /// Take answers from former evaluations, where the question is the very same
    #[arg(long)]
    reuse: bool,
    /// After how many minutes it is given up
    #[arg(long, value_name = "MINUTES")]
    deadline: Option<u64>,
}

#[derive(Args)]
pub struct List {
    /// The prompt: its id, its name, or team/name
    #[arg(required_unless_present = "status")]
    prompt: Option<String>,
    /// All prompts' that stand so: queued, running, completed, errored or cancelled; or waiting for a person
    #[arg(long, conflicts_with = "prompt")]
    status: Option<String>,
    #[command(flatten)]
    most: Most,
}

#[derive(Args)]
pub struct Cases {
    /// Which evaluation
    run: EvalRunId,
    /// Only these
    #[arg(long, value_enum)]
    outcome: Option<Outcome>,
    /// All cases as CSV
    #[arg(long, conflicts_with = "outcome")]
    csv: bool,
    #[command(flatten)]
    most: Most,
}

/// What cases came to.
#[derive(Debug, Clone, Copy, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// They hold
    Passed,
    /// They do not
    Failed,
    /// There is no answer
    Errored,
    /// Production passes them, and this version does not
    Regressed,
}

impl Outcome {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Regressed => "regressed",
        }
    }
}

impl Eval {
    pub async fn run(self, session: &Session) -> Result {
        let (client, output) = (&session.client, session.output);
        match self {
            Self::Run(new) => new.run(session).await,
            Self::List(list) => list.run(session).await,
            Self::Show(One { run }) => output.show(&client.eval(run, 0).await?),
            Self::Watch(One { run }) => watch(session, run).await,
            Self::Cases(cases) => cases.run(session).await,
            Self::Summary(One { run }) => print(client.eval_summary(run).await?.as_bytes()),
            Self::Cancel(One { run }) => {
                if !session.may(&format!("stop {run}"))? {
                    return Ok(());
                }
                output.show(&client.cancel_eval(run).await?)
            }
        }
    }
}

impl New {
    async fn run(self, session: &Session) -> Result {
        let prompt = session.prompt(&self.prompt).await?;
        let version = session.version_id(&prompt, &self.version).await?;
        let new = NewEval {
            test_set_id: self.test_set,
            model_id: self.model,
            repeats: self.repeats,
            reuse: self.reuse.then_some(true),
            deadline_minutes: self.deadline,
        };
        if !session.may(&format!("evaluate {version}"))? {
            return Ok(());
        }
        let run = session.client.create_eval(version, &new).await?;
        if self.watch { watch(session, run.eval_run_id).await } else { session.output.show(&run) }
    }
}

impl List {
    async fn run(self, session: &Session) -> Result {
        let most = self.most.count();
        let runs = match (&self.prompt, &self.status) {
            (Some(prompt), _) => session.client.prompt_evals(&session.address(prompt), most).await?,
            (None, status) => session.client.evals(status.as_deref().unwrap_or_default(), most).await?,
        };
        session.output.show(&runs)
    }
}

impl Cases {
    async fn run(self, session: &Session) -> Result {
        if self.csv {
            return print(session.client.eval_cases_csv(self.run).await?.as_bytes());
        }
        let outcome = self.outcome.map(Outcome::name);
        session.output.show(&session.client.eval_cases(self.run, outcome, self.most.count()).await?)
    }
}

/// Watches a run to its end, and tells its verdict by the exit code.
async fn watch(session: &Session, run: EvalRunId) -> Result {
    let progress = Progress::new("evaluating", 0);
    let ended = session.client.ended_eval(run, |run| {
        progress.reach(run.completed_cases, run.total_cases as usize);
        progress.about(format!("evaluating: {} failed, {} errored", run.failed_cases, run.errored_cases));
    });
    let ended = ended.await?;
    drop(progress);
    session.output.show(&ended)?;
    verdict(&ended)
}

/// How a run ended, as an exit code tells it.
pub(super) fn verdict(run: &Run) -> Result {
    match (run.status.as_str(), run.gate_result.as_deref()) {
        ("completed", Some("fail")) => Err(Failure::Refused("The version did not pass.".to_owned())),
        ("completed", Some("manual_review")) => {
            let id = run.eval_run_id;
            Err(Failure::Refused(format!(
                "It is too close to call. A releaser decides: cuecard review approve {id}"
            )))
        }
        ("completed", _) => Ok(()),
        (status, _) => Err(Failure::Failed(format!("The evaluation is {status}: there is no verdict."))),
    }
}
