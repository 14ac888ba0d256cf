//! Tools for evaluations.

use client::evals::NewEval;
use domain::{EvalRunId, TestSetId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Effect, Tool, fields, newest, would};
use crate::{commands::eval::Outcome, failure::Result, session::Session, which::Which};

/// How many cases are shown at most.
const CASES: usize = 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The prompt: `team/name`, or its id.
    prompt: String,
    /// Its number or id, `newest`, or an environment where it is live.
    #[serde(default = "newest")]
    version: String,
    /// On which test set; else on the prompt's.
    #[schemars(with = "Option<String>")]
    test_set_id: Option<TestSetId>,
    /// On which model; else on the version's.
    model_id: Option<String>,
    /// How often each case is asked.
    repeats: Option<u32>,
    /// Whether answers of former evaluations may be taken, where the question is the very same.
    reuse: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The evaluation, `evl_…`.
    #[schemars(with = "String")]
    eval_run_id: EvalRunId,
    /// How many seconds to wait for its end.
    #[serde(default)]
    #[schemars(range(min = 0, max = 25))]
    wait: u8,
    /// Shows the first twenty cases of this outcome, too.
    cases: Option<Outcome>,
}

impl Tool for Run {
    const NAME: &'static str = "run_evaluation";
    const TITLE: &'static str = "Evaluate a version";
    const ABOUT: &'static str = "Asks for an evaluation of a version on a test set. It calls the model for each case, \
        which costs, and takes a while: show_evaluation tells how it goes.";
    const EFFECT: Effect = Effect::Adds;

    async fn run(self, session: &Session) -> Result<Value> {
        let prompt = session.prompt(&self.prompt).await?;
        let version = session.version_id(&prompt, &Which::of(&self.version)).await?;
        if session.dry_run {
            return Ok(would(&format!("evaluate {version}")));
        }
        let new = NewEval {
            test_set_id: self.test_set_id,
            model_id: self.model_id,
            repeats: self.repeats,
            reuse: self.reuse,
            deadline_minutes: None,
        };
        fields(&session.client.create_eval(version, &new).await?)
    }
}

impl Tool for Show {
    const NAME: &'static str = "show_evaluation";
    const TITLE: &'static str = "Show an evaluation";
    const ABOUT: &'static str = "Shows an evaluation: how far it is, the gate's verdict with its reasons, and on \
        request cases with what the model answered.";
    const EFFECT: Effect = Effect::Reads;

    async fn run(self, session: &Session) -> Result<Value> {
        let run = session.client.eval(self.eval_run_id, self.wait.into()).await?;
        let Some(outcome) = self.cases else {
            return Ok(json!({ "evaluation": run }));
        };
        let cases = session.client.eval_cases(self.eval_run_id, Some(outcome.name()), CASES).await?;
        Ok(json!({ "evaluation": run, "cases": cases.data, "more_cases": cases.next_cursor.is_some() }))
    }
}
