//! The progress of evaluation runs: results put once, and number sets that count each case once.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{AttributeValue, ReturnValue},
};
use domain::{
    EvalRun, EvalRunId, Result, Timestamp,
    eval_run::{CHUNK_CASES, CaseOutcome, CaseResult},
};
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageRequest, Store,
    keys::{CASES, CHUNKS, TelemetryKey, run_partition},
    sent::Sent,
    table::{Item, attribute, failed, from_item, number, text, to_telemetry_item},
};

/// How long results are kept.
pub(crate) const KEPT: Duration = Duration::from_hours(400 * 24);

/// How an item of a run's progress says that somebody works on it.
const PROGRESSED: &str = "SET progressed_at = :now, gone_at = :gone";

/// An output up to this size stands in its result; a longer one has an item of its own.
const INLINE_OUTPUT_BYTES: usize = 4096;

/// The most of an output that is kept, in bytes: an item holds 400 KB.
pub(crate) const MAX_OUTPUT_BYTES: usize = 300 * 1024;

/// What is done of a run, as case numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunProgress {
    /// Cases that passed.
    pub passed: BTreeSet<u32>,
    /// Cases that failed.
    pub failed: BTreeSet<u32>,
    /// Cases that errored.
    pub errored: BTreeSet<u32>,
    /// When a worker last counted a case, or sent one again.
    pub progressed_at: Option<Timestamp>,
}

impl RunProgress {
    /// How many cases are done.
    pub fn completed(&self) -> usize {
        self.passed.len() + self.failed.len() + self.errored.len()
    }

    /// Whether a case is done.
    pub fn has(&self, number: u32) -> bool {
        self.passed.contains(&number) || self.failed.contains(&number) || self.errored.contains(&number)
    }
}

/// What counting a case came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Cases are missing.
    Going,
    /// This was the last case, or the last one counted again.
    Complete,
}

#[derive(Default, Deserialize)]
struct ChunkItem {
    #[serde(default)]
    passed: BTreeSet<u32>,
    #[serde(default)]
    failed: BTreeSet<u32>,
    #[serde(default)]
    errored: BTreeSet<u32>,
    progressed_at: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
struct DoneItem {
    #[serde(default)]
    chunks: BTreeSet<u32>,
}

#[derive(Serialize, Deserialize)]
struct OutputItem {
    output: String,
}

impl Store {
    /// Puts what came of a case, unless something came of it before. Returns what is stored: the first counts.
    pub async fn put_case_result(
        &self,
        run: EvalRunId,
        mut result: CaseResult,
        now: Timestamp,
    ) -> Result<CaseResult> {
        let expires = number(now.plus(KEPT).as_seconds());
        let mut whole = result.output.take().unwrap_or_default();
        cut_to(&mut whole, MAX_OUTPUT_BYTES);
        if whole.len() > INLINE_OUTPUT_BYTES {
            let key = TelemetryKey::Output(run, result.number);
            let mut item = to_telemetry_item(&key, &OutputItem { output: whole.clone() })?;
            item.insert(attribute::GONE_AT.to_owned(), expires.clone());
            self.put_if_absent(&self.names.telemetry, item).await?;
            cut_to(&mut whole, INLINE_OUTPUT_BYTES);
        }
        result.output = (result.error.is_none()).then_some(whole);
        let key = TelemetryKey::Case(run, result.number);
        let mut item = to_telemetry_item(&key, &result)?;
        item.insert(attribute::GONE_AT.to_owned(), expires);
        if self.put_if_absent(&self.names.telemetry, item).await? {
            return Ok(result);
        }
        let stored = self.case_result(run, result.number).await?;
        Ok(stored.unwrap_or(result))
    }

    /// Reads what came of a case.
    pub async fn case_result(&self, run: EvalRunId, number: u32) -> Result<Option<CaseResult>> {
        self.get_telemetry(&TelemetryKey::Case(run, number)).await
    }

    /// The whole output of a case, when it is longer than what stands in its result.
    pub async fn case_output(&self, run: EvalRunId, number: u32) -> Result<Option<String>> {
        let item: Option<OutputItem> = self.get_telemetry(&TelemetryKey::Output(run, number)).await?;
        Ok(item.map(|item| item.output))
    }

    /// A page of a run's results, by case number.
    pub async fn case_results(&self, run: EvalRunId, request: &PageRequest) -> Result<Page<CaseResult>> {
        self.page(self.query(&self.names.telemetry, run_partition(run), CASES), request).await
    }

    /// All results of a run.
    pub async fn all_case_results(&self, run: EvalRunId) -> Result<Vec<CaseResult>> {
        self.all(self.query(&self.names.telemetry, run_partition(run), CASES)).await
    }

    /// Counts a case that has its result. Counting twice changes nothing.
    pub async fn count_case(
        &self,
        run: &EvalRun,
        number: u32,
        outcome: CaseOutcome,
        now: Timestamp,
    ) -> Result<Progress> {
        let chunk = (number - 1) / CHUNK_CASES;
        let set = match outcome {
            CaseOutcome::Passed => "passed",
            CaseOutcome::Failed => "failed",
            CaseOutcome::Errored => "errored",
        };
        let key = TelemetryKey::Chunk(run.eval_run_id, chunk);
        let counted = self.add_number(&key, set, number, now).await?;
        let counted: ChunkItem = from_item(counted)?;
        let done = counted.passed.len() + counted.failed.len() + counted.errored.len();
        if done < usize::try_from(run.chunk_cases(chunk)).unwrap_or(usize::MAX) {
            return Ok(Progress::Going);
        }
        let key = TelemetryKey::Done(run.eval_run_id);
        let done: DoneItem = from_item(self.add_number(&key, "chunks", chunk, now).await?)?;
        let all = usize::try_from(run.chunks()).unwrap_or(usize::MAX);
        Ok(if done.chunks.len() >= all { Progress::Complete } else { Progress::Going })
    }

    /// Notes that a worker had a case and sent it again: nobody has to look for it for a while.
    pub async fn note_alive(&self, run: EvalRunId, number: u32, now: Timestamp) -> Result<()> {
        let key = TelemetryKey::Chunk(run, (number - 1) / CHUNK_CASES);
        self.update_progress(&key, PROGRESSED, now).sent().await.map_err(failed).map(|_| ())
    }

    /// Adds a number to a set of an item, and returns the item after it.
    async fn add_number(&self, key: &TelemetryKey, set: &str, value: u32, now: Timestamp) -> Result<Item> {
        let answer = self
            .update_progress(key, &format!("{PROGRESSED} ADD #set :value"), now)
            .expression_attribute_names("#set", set)
            .expression_attribute_values(":value", AttributeValue::Ns(vec![value.to_string()]))
            .return_values(ReturnValue::AllNew)
            .sent()
            .await
            .map_err(failed)?;
        Ok(answer.attributes.unwrap_or_default())
    }

    fn update_progress(&self, key: &TelemetryKey, update: &str, now: Timestamp) -> UpdateItemFluentBuilder {
        self.dynamodb()
            .update_item()
            .table_name(&self.names.telemetry)
            .key(attribute::PK, text(key.pk()))
            .key(attribute::SK, text(key.sk()))
            .update_expression(update)
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":gone", number(now.plus(KEPT).as_seconds()))
    }

    /// What is done of a run.
    pub async fn run_progress(&self, run: EvalRunId) -> Result<RunProgress> {
        let chunks: Vec<ChunkItem> =
            self.all(self.query(&self.names.telemetry, run_partition(run), CHUNKS)).await?;
        Ok(chunks.into_iter().fold(RunProgress::default(), |mut progress, chunk| {
            progress.passed.extend(chunk.passed);
            progress.failed.extend(chunk.failed);
            progress.errored.extend(chunk.errored);
            progress.progressed_at = progress.progressed_at.max(chunk.progressed_at);
            progress
        }))
    }
}

/// Cuts a text to at most `bytes`, between characters.
fn cut_to(text: &mut String, bytes: usize) {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
}
