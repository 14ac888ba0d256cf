//! Answers that may stand for new ones: which run asked the very same question before.

use std::time::Duration;

use domain::{EvalRunId, Result, Timestamp, eval_run::CaseResult};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    keys::TelemetryKey,
    table::{attribute, number, to_telemetry_item},
};

/// How long an answer may be reused.
const KEPT: Duration = Duration::from_hours(30 * 24);

#[derive(Serialize, Deserialize)]
struct Answered {
    eval_run_id: EvalRunId,
    number: u32,
}

impl Store {
    /// Notes where the answer to a question is found: the first one stands until it lapses.
    pub async fn note_answer(
        &self,
        question_sha256: &str,
        run: EvalRunId,
        case: u32,
        now: Timestamp,
    ) -> Result<()> {
        let key = TelemetryKey::Answer(question_sha256.to_owned());
        let mut item = to_telemetry_item(&key, &Answered { eval_run_id: run, number: case })?;
        item.insert(attribute::GONE_AT.to_owned(), number(now.plus(KEPT).as_seconds()));
        self.put_if_absent(&self.names.telemetry, item).await.map(|_| ())
    }

    /// What a former run was answered, with its whole output.
    pub async fn former_answer(&self, question_sha256: &str) -> Result<Option<(EvalRunId, CaseResult)>> {
        let key = TelemetryKey::Answer(question_sha256.to_owned());
        let Some(Answered { eval_run_id, number }) = self.get_telemetry(&key).await? else { return Ok(None) };
        let Some(mut result) = self.case_result(eval_run_id, number).await? else { return Ok(None) };
        if let Some(whole) = self.case_output(eval_run_id, number).await? {
            result.output = Some(whole);
        }
        Ok(Some((eval_run_id, result)))
    }
}
