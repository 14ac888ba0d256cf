//! Evaluations that were too close to call.

use clap::{Args, Subcommand};
use client::{Page, audit::AuditQuery, evals::Eval as Run};
use domain::EvalRunId;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    failure::{Failure, Result},
    session::Session,
    sync::AT_ONCE,
};

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

/// What the console's queue holds, newest first.
async fn list(session: &Session) -> Result {
    let completed = session.client.evals("completed", usize::MAX).await?.data;
    let close = completed.into_iter().filter(|run| run.gate_result.as_deref() == Some("manual_review"));
    let looked_at = stream::iter(close).map(|run| async move {
        let waits = waits(session, &run).await?;
        Ok::<_, Failure>(waits.then_some(run))
    });
    let looked_at: Vec<_> = looked_at.buffered(AT_ONCE).try_collect().await?;
    let waiting: Vec<Run> = looked_at.into_iter().flatten().collect();
    session.output.show(&Page { data: waiting, next_cursor: None })
}

/// Whether a run that was too close to call is for a person to decide, now.
async fn waits(session: &Session, run: &Run) -> Result<bool> {
    let is_undecided = if run.purpose == "other_model" {
        is_undecided_on_its_model(session, run).await?
    } else {
        let version = session.client.version(run.version_id).await?;
        version.eval_status == "manual_review" && version.eval_run_id == Some(run.eval_run_id)
    };
    Ok(is_undecided && session.client.prompt(&run.prompt_id.to_string()).await?.archived_at.is_none())
}

/// On another model than its version's own the newest run decides, and what became of it the audit alone says.
async fn is_undecided_on_its_model(session: &Session, run: &Run) -> Result<bool> {
    let prompt = run.prompt_id.to_string();
    let runs = session.client.prompt_evals(&prompt, usize::MAX).await?.data;
    let is_rival = |other: &&Run| {
        other.purpose == run.purpose && other.version_id == run.version_id && other.model_id == run.model_id
    };
    let newest = runs.iter().find(is_rival);
    if newest.is_none_or(|newest| newest.eval_run_id != run.eval_run_id) {
        return Ok(false);
    }
    let query = AuditQuery { prompt_id: Some(prompt), from: Some(run.created_at), ..AuditQuery::default() };
    let entries = session.client.audit(&query, usize::MAX).await?.data;
    let id = run.eval_run_id.to_string();
    Ok(!entries.iter().any(|entry| entry.action == "evaluation_reviewed" && entry.subject == id))
}
