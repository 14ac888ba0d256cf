//! Evaluations and test sets.

use client::{
    evals::{Case, Comparison, Eval, Matrix},
    test_sets::{TestSet, TestSetVersion},
};

use super::{figure, moment, or_dash, percent};
use crate::paper::{Paper, Row, Show};

impl Row for Eval {
    const COLUMNS: &'static [&'static str] =
        &["RUN", "VERSION", "STATUS", "VERDICT", "PASSED", "SCORE", "MODEL", "PURPOSE", "ASKED"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.eval_run_id.to_string(),
            self.version_number.to_string(),
            self.status.clone(),
            or_dash(self.gate_result.as_ref()),
            format!("{}/{}", self.passed_cases, self.total_cases),
            or_dash(self.avg_score.map(figure)),
            self.model_id.clone(),
            self.purpose.clone(),
            moment(self.created_at),
        ]
    }
}

impl Show for Eval {
    fn show(&self, paper: &mut Paper) {
        let verdict = self.gate_result.as_deref().unwrap_or(&self.status);
        paper.heading(&format!("Evaluation of version {}: {verdict}", self.version_number));
        paper.pair("id", self.eval_run_id.to_string());
        paper.pair("status", self.status.clone());
        paper.pair("test set", format!("{}, version {}", self.test_set_id, self.test_set_version));
        paper.pair("model", self.model_id.clone());
        paper.pair(
            "cases",
            format!(
                "{} of {}: {} passed, {} failed, {} errored",
                self.completed_cases,
                self.total_cases,
                self.passed_cases,
                self.failed_cases,
                self.errored_cases
            ),
        );
        paper.pair("score", self.avg_score.map(figure));
        let latency = |p50: u64| format!("{p50} ms, 95 % below {} ms", or_dash(self.p95_latency_ms));
        paper.pair("latency", self.p50_latency_ms.map(latency));
        paper.pair("cost", self.total_cost_usd.map(|cost| format!("${cost}")));
        paper.pair("asked", format!("{} by {}", moment(self.created_at), self.created_by));
        for reason in &self.gate_reasons {
            paper.line(format!("- {reason}"));
        }
        if let Some(comparison) = &self.comparison {
            show_comparison(paper, comparison);
        }
    }
}

fn show_comparison(paper: &mut Paper, comparison: &Comparison) {
    paper.line("");
    paper.heading(&format!("Beside version {} in production", comparison.baseline_version_number));
    paper.pair("cases", comparison.pairs.to_string());
    paper.pair("regressed", format!("{} ({} critical)", comparison.regressed, comparison.critical_regressed));
    paper.pair("improved", comparison.improved.to_string());
    let points = |share: f64| figure(share * 100.0);
    let (difference, least) = (points(comparison.difference), points(comparison.lower_bound));
    paper.pair("difference", format!("{difference} points, at least {least}"));
    let cases = &comparison.regressed_cases;
    paper.pair("which", (!cases.is_empty()).then(|| cases.join(", ")));
}

impl Row for Case {
    const COLUMNS: &'static [&'static str] =
        &["CASE", "OUTCOME", "SCORE", "CRITICAL", "LATENCY", "WHY", "ANSWER"];

    fn cells(&self) -> Vec<String> {
        let failed = self.assertions.iter().find(|assertion| !assertion.passed);
        let why = self.error.clone().or_else(|| failed.map(|assertion| assertion.reason.clone()));
        vec![
            self.case_id.clone(),
            self.outcome.clone(),
            or_dash(self.score.map(figure)),
            if self.critical { "critical" } else { "-" }.to_owned(),
            or_dash(self.latency_ms.map(|took| format!("{took} ms"))),
            or_dash(why),
            or_dash(self.output.as_ref()),
        ]
    }
}

impl Show for Matrix {
    fn show(&self, paper: &mut Paper) {
        if self.models.is_empty() {
            return paper.line("No version was evaluated yet.");
        }
        let mut names = vec!["VERSION"];
        names.extend(self.models.iter().map(String::as_str));
        let rows = self.versions.iter().map(|row| {
            let cell = |model: &String| {
                let cell = row.results.get(model)?;
                Some(format!(
                    "{} {}",
                    or_dash(cell.pass_rate.map(percent)),
                    or_dash(cell.gate_result.as_ref())
                ))
            };
            let cells = self.models.iter().map(|model| or_dash(cell(model)));
            [row.version_number.to_string()].into_iter().chain(cells).collect()
        });
        paper.columns(&names, &rows.collect::<Vec<_>>());
    }
}

impl Row for TestSet {
    const COLUMNS: &'static [&'static str] = &["TEST SET", "NAME", "TEAM", "VERSION", "MADE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.test_set_id.to_string(),
            self.name.clone(),
            self.team_id.to_string(),
            self.newest_version.to_string(),
            moment(self.created_at),
        ]
    }
}

impl Show for TestSet {
    fn show(&self, paper: &mut Paper) {
        paper.heading(&self.name);
        paper.pair("id", self.test_set_id.to_string());
        paper.pair("team", self.team_id.to_string());
        let version = self.newest_version;
        paper.pair("version", if version == 0 { "no cases yet".to_owned() } else { version.to_string() });
        paper.pair("made", format!("{} by {}", moment(self.created_at), self.created_by));
    }
}

impl Row for TestSetVersion {
    const COLUMNS: &'static [&'static str] = &["VERSION", "CASES", "PUT", "BY", "SHA-256"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.version.to_string(),
            self.cases.to_string(),
            moment(self.created_at),
            self.created_by.clone(),
            self.sha256.clone(),
        ]
    }
}

impl Show for TestSetVersion {
    fn show(&self, paper: &mut Paper) {
        paper.line(format!("Version {} of {} has {} cases.", self.version, self.test_set_id, self.cases));
        paper.pair("sha-256", self.sha256.clone());
    }
}
