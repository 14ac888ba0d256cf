//! Evaluations that were too close to call.

use clap::{Args, Subcommand};
use domain::EvalRunId;

use crate::{failure::Result, session::Session};

const EXAMPLES: &str = "\
Examples:
  cuecard review list
  cuecard review approve evl_… --reason \"The three regressions are better answers\"
  cuecard review reject evl_… --reason \"It refuses refunds\"";

/// Evaluations that were too close to call
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Review {
    /// List what waits for a decision
    List,
    /// The version may go live
    Approve(Decide),
    /// It may not
    Reject(Decide),
}

#[derive(Args)]
pub struct Decide {
    /// Which evaluation
    run: EvalRunId,
    /// Why
    #[arg(long)]
    reason: String,
}

impl Review {
    pub async fn run(self, session: &Session) -> Result {
        let (decision, Decide { run, reason }) = match self {
            Self::List => {
                let waiting = session.client.evals("waiting", usize::MAX).await?;
                return session.output.show(&waiting);
            }
            Self::Approve(decide) => ("approve", decide),
            Self::Reject(decide) => ("reject", decide),
        };
        if !session.may(&format!("{decision} {run}"))? {
            return Ok(());
        }
        session.output.show(&session.client.review_eval(run, decision, &reason).await?)
    }
}
