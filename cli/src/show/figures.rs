//! Metrics.

use client::metrics::{PromptMetrics, PromptMetricsRow, Ranked, Ranking, TeamMetrics, TeamMetricsRow};

use super::{figure, moment, or_dash, percent};
use crate::paper::{Paper, Row, Show};

impl Row for PromptMetricsRow {
    const COLUMNS: &'static [&'static str] = &[
        "FROM",
        "GROUP",
        "CALLS",
        "RESOLVES",
        "ERRORS",
        "P50 MS",
        "P95 MS",
        "TOKENS/CALL",
        "COST",
        "RATING",
    ];

    fn cells(&self) -> Vec<String> {
        let version = self.version_number.map(|number| format!("version {number}"));
        let variant = self.variant.as_ref().zip(self.experiment_id.as_ref());
        let variant = variant.map(|(key, trial)| format!("{key} of {trial}"));
        let latency =
            |of: fn(&client::metrics::Latency) -> f64| or_dash(self.latency.as_ref().map(of).map(figure));
        vec![
            moment(self.bucket_start),
            or_dash(variant.or(version).or_else(|| self.environment.clone())),
            self.calls.to_string(),
            self.resolves.to_string(),
            or_dash(self.error_rate.map(percent)),
            latency(|latency| latency.p50),
            latency(|latency| latency.p95),
            or_dash(self.tokens_per_call.map(figure)),
            format!("${}", self.cost_usd),
            or_dash(self.rating.mean.map(figure)),
        ]
    }
}

impl Show for PromptMetrics {
    fn show(&self, paper: &mut Paper) {
        paper.line(format!("{} to {}, by {}", moment(self.from), moment(self.to), self.bucket));
        rows(paper, &self.data);
        let more = [(self.versions_left_out, "versions"), (self.environments_left_out, "environments")];
        for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
            paper.line(format!("{count} older {what} are left out."));
        }
    }
}

impl Row for TeamMetricsRow {
    const COLUMNS: &'static [&'static str] =
        &["DAY", "PROMPT", "CALLS", "RESOLVES", "ERRORS", "TOKENS IN", "TOKENS OUT", "COST", "RATING"];

    fn cells(&self) -> Vec<String> {
        vec![
            moment(self.bucket_start),
            self.prompt_id.to_string(),
            self.calls.to_string(),
            self.resolves.to_string(),
            or_dash(self.error_rate.map(percent)),
            self.input_tokens.to_string(),
            self.output_tokens.to_string(),
            format!("${}", self.cost_usd),
            or_dash(self.rating.map(figure)),
        ]
    }
}

impl Show for TeamMetrics {
    fn show(&self, paper: &mut Paper) {
        paper.line(format!("{} to {}, by day", moment(self.from), moment(self.to)));
        rows(paper, &self.data);
    }
}

impl Row for Ranked {
    const COLUMNS: &'static [&'static str] =
        &["PROMPT", "CALLS", "ERRORS", "COST/DAY", "RATING", "CHEAPEST ELSEWHERE"];

    fn cells(&self) -> Vec<String> {
        let cheapest = self.on_other_models.iter().min_by_key(|model| model.cost_usd_per_day);
        vec![
            format!("{}/{}", self.team_id, self.name),
            self.calls.to_string(),
            or_dash(self.error_rate.map(percent)),
            format!("${}", self.cost_usd_per_day),
            or_dash(self.rating.map(figure)),
            or_dash(cheapest.map(|model| format!("${} on {}", model.cost_usd_per_day, model.model_id))),
        ]
    }
}

impl Show for Ranking {
    fn show(&self, paper: &mut Paper) {
        paper.line(format!("{} to {}, by {}", moment(self.from), moment(self.to), self.sort));
        rows(paper, &self.data);
        if self.prompts_left_out > 0 {
            paper.line(format!("{} more prompts are left out.", self.prompts_left_out));
        }
    }
}

fn rows<T: Row>(paper: &mut Paper, rows: &[T]) {
    if rows.is_empty() { paper.line("Nothing was reported.") } else { paper.table(rows) }
}
