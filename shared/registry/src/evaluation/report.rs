//! Runs as people read them elsewhere: Markdown for a pull request, CSV for a spreadsheet.

use std::fmt::Write as _;

use domain::{
    eval_run::{CaseOutcome, CaseResult, RunStatus},
    gate::GateResult,
};

use super::RunDetails;

/// The most cases that a summary lists.
const MAX_LISTED: usize = 20;

/// A run in Markdown: the verdict, the figures, and the cases that did not pass.
pub fn summary_markdown(details: &RunDetails, results: &[CaseResult]) -> String {
    let run = &details.run;
    let verdict = match (run.gate_result, run.status) {
        (Some(GateResult::Pass), _) => "✅ passed",
        (Some(GateResult::Fail), _) => "❌ failed",
        (Some(GateResult::ManualReview), _) => "🔎 needs a review",
        (None, RunStatus::Errored) => "⚠️ no verdict",
        (None, RunStatus::Cancelled) => "⏹ cancelled",
        (None, _) => "⏳ running",
    };
    let mut text = format!("### Evaluation {verdict}\n\n");
    // Writing to a string cannot fail.
    for reason in &run.gate_reasons {
        let _ = writeln!(text, "- {}", cell(reason));
    }
    let progress = &details.progress;
    let _ = write!(
        text,
        "\n| version | model | test set | cases | passed | failed | errored | p95 latency | cost |\n\
         |---|---|---|---|---|---|---|---|---|\n\
         | {} | {} | {} v{} | {} | {} | {} | {} | {} | {} |\n",
        run.version.number,
        cell(&run.model_id),
        run.test_set_id,
        run.test_set_version,
        run.total_cases,
        progress.passed.len(),
        progress.failed.len(),
        progress.errored.len(),
        run.summary
            .and_then(|summary| summary.p95_latency_ms)
            .map_or("–".to_owned(), |ms| format!("{ms} ms")),
        run.summary.map_or("–".to_owned(), |summary| format!("${}", summary.total_cost_usd)),
    );
    if let Some(comparison) = &run.comparison {
        let _ = write!(
            text,
            "\n| beside version {} in production | compared | regressed | improved | difference | at worst |\n\
             |---|---|---|---|---|---|\n| | {} | {} | {} | {:+.1} % | {:+.1} % |\n",
            comparison.version.number,
            comparison.pairs,
            comparison.regressed,
            comparison.improved,
            100.0 * comparison.difference,
            100.0 * comparison.lower_bound,
        );
    }
    if let Some(reused) = run.summary.map(|summary| summary.reused_cases).filter(|reused| *reused > 0) {
        let _ = writeln!(text, "\nThe answers to {reused} cases were taken from former runs.");
    }
    let regressed = |case: &CaseResult| {
        run.comparison.as_ref().is_some_and(|comparison| comparison.regressed_cases.contains(&case.case_id))
    };
    let mut missed: Vec<_> = results.iter().filter(|case| case.outcome != CaseOutcome::Passed).collect();
    if missed.is_empty() {
        return text;
    }
    missed.sort_by_key(|case| !regressed(case));
    text.push_str("\n| case | outcome | why |\n|---|---|---|\n");
    for case in missed.iter().take(MAX_LISTED) {
        let outcome = if regressed(case) { "regressed" } else { outcome(case) };
        let _ = writeln!(text, "| {} | {outcome} | {} |", cell(&case.case_id), cell(&why(case)));
    }
    if missed.len() > MAX_LISTED {
        let _ = writeln!(text, "\n… and {} more.", missed.len() - MAX_LISTED);
    }
    text
}

/// All results as CSV (RFC 4180). Cells that a spreadsheet would take for a formula are quoted as text.
pub fn cases_csv(results: &[CaseResult]) -> String {
    let mut text =
        "case_id,outcome,score,critical,latency_ms,input_tokens,output_tokens,cost_usd,why,output\r\n"
            .to_owned();
    for case in results {
        let row = [
            field(&case.case_id),
            outcome(case).to_owned(),
            case.score.as_ref().map_or(String::new(), |score| score.score.to_string()),
            case.critical.to_string(),
            case.latency_ms.map_or(String::new(), |ms| ms.to_string()),
            case.input_tokens.to_string(),
            case.output_tokens.to_string(),
            case.cost_usd.to_string(),
            field(&why(case)),
            field(case.output.as_deref().unwrap_or_default()),
        ];
        text.push_str(&row.join(","));
        text.push_str("\r\n");
    }
    text
}

fn outcome(case: &CaseResult) -> &'static str {
    match case.outcome {
        CaseOutcome::Passed => "passed",
        CaseOutcome::Failed => "failed",
        CaseOutcome::Errored => "errored",
    }
}

/// Why a case did not pass, in one line.
fn why(case: &CaseResult) -> String {
    if let Some(error) = &case.error {
        return error.clone();
    }
    let failed = case.score.iter().flat_map(|score| &score.results).filter(|result| !result.passed);
    failed.map(|result| result.reason.clone()).collect::<Vec<_>>().join("; ")
}

/// Text that a model or an author chose, as a Markdown table's cell: one line, and nothing that ends it, begins HTML,
/// links or shows something from elsewhere, or calls people by name.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\r' | '\n' => cell.push(' '),
            '|' => cell.push_str("\\|"),
            '<' => cell.push_str("&lt;"),
            '[' => cell.push_str("&#91;"),
            '@' => cell.push_str("&#64;"),
            other => cell.push(other),
        }
    }
    cell.replace("://", ":&#47;&#47;")
}

fn field(text: &str) -> String {
    let guarded =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    format!("\"{}\"", guarded.replace('"', "\"\""))
}
