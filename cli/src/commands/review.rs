//! Evaluations that were too close to call.

use clap::{Args, Subcommand};
use client::Page;
use domain::EvalRunId;

use crate::{failure::Result, session::Session};

const EXAMPLES: &str = "\
Examples:
  cuecard review list
  cuecard review approve evl_… --reason \"The three regressions are better answers\"
  cuecard review reject evl_… --reason \"It refuses refunds\"";

/// How many completed evaluations are looked through.
const LOOKED_AT: usize = 500;

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
            Self::List => return list(session).await,
            Self::Approve(decide) => ("approve", decide),
            Self::Reject(decide) => ("reject", decide),
        };
        if !session.may(&format!("{decision} {run}"))? {
            return Ok(());
        }
        session.output.show(&session.client.review_eval(run, decision, &reason).await?)
    }
}

/// A run waits while it is its version's own, and that version has no verdict.
async fn list(session: &Session) -> Result {
    let completed = session.client.evals("completed", LOOKED_AT).await?;
    let mut waiting = Page { data: Vec::new(), next_cursor: completed.next_cursor };
    for run in completed.data {
        if run.gate_result.as_deref() != Some("manual_review") {
            continue;
        }
        let version = session.client.version(run.version_id).await?;
        if version.eval_status == "manual_review" && version.eval_run_id == Some(run.eval_run_id) {
            waiting.data.push(run);
        }
    }
    session.output.show(&waiting)
}
