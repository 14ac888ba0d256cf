//! Answers that need not be asked for again: which run asked the very same question before, and what is known of a
//! case that comes again.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    EvalRunId, Result, Timestamp,
    eval_run::{CaseResult, Draft, Judged, Said},
};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    keys::{TelemetryKey, run_partition},
    progress::{self, MAX_OUTPUT_BYTES},
    table::{attribute, number, to_telemetry_item},
};

/// How long an answer may be reused.
const KEPT: Duration = Duration::from_hours(30 * 24);

#[derive(Serialize, Deserialize)]
struct Answered {
    eval_run_id: EvalRunId,
    number: u32,
}

/// An answer to a case, or what a judge said of it.
#[derive(Serialize, Deserialize)]
struct DraftItem {
    repeat: u32,
    said: Option<Said>,
    judged: Option<(usize, Judged)>,
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
        // What was erased is asked for again.
        Ok(result.output.is_some().then_some((eval_run_id, result)))
    }

    /// Keeps what a case that comes again has of one of its answers. What is there already stays.
    pub async fn put_draft(
        &self,
        run: EvalRunId,
        case: u32,
        repeat: u32,
        draft: Draft,
        now: Timestamp,
    ) -> Result<()> {
        let expires = number(now.plus(progress::KEPT).as_seconds());
        // An answer that does not fit is asked for again: cut short it would be another one.
        let said = draft.said.filter(|said| said.output.len() <= MAX_OUTPUT_BYTES);
        let said = said.map(|said| DraftItem { repeat, said: Some(said), judged: None });
        let judged = draft.judged.into_iter();
        let judged = judged.map(|judged| DraftItem { repeat, said: None, judged: Some(judged) });
        for piece in said.into_iter().chain(judged) {
            let at = piece.judged.as_ref().map(|(at, _)| *at);
            let mut item = to_telemetry_item(&TelemetryKey::Draft(run, case, repeat, at), &piece)?;
            item.insert(attribute::GONE_AT.to_owned(), expires.clone());
            self.put_if_absent(&self.names.telemetry, item).await?;
        }
        Ok(())
    }

    /// What is known of a case's answers, by how often it was asked before each.
    pub async fn drafts(&self, run: EvalRunId, case: u32) -> Result<BTreeMap<u32, Draft>> {
        let pieces = self.query(&self.names.telemetry, run_partition(run), &TelemetryKey::drafts(case));
        let mut drafts = BTreeMap::<u32, Draft>::new();
        for DraftItem { repeat, said, judged } in self.all(pieces).await? {
            let draft = drafts.entry(repeat).or_default();
            draft.said = draft.said.take().or(said);
            draft.judged.extend(judged);
        }
        Ok(drafts)
    }
}
