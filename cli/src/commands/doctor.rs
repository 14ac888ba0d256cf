//! Whether the platform is well, and what to do where it is not.

mod deployment;

use clap::Args;
use client::Page;
use serde::Serialize;

use crate::{
    failure::{Failure, Result},
    paper::Row,
    session::Session,
};

const EXAMPLES: &str = "\
Examples:
  cuecard doctor                                       the platform, as it sees itself
  cuecard doctor --stack cuecard --region eu-west-1    also all that its deployment is made of, with AWS credentials";

/// Check the platform and what it depends on, and say what to do
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// The name of the deployment's stack
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// Its region; else that of the AWS settings
    #[arg(long, value_name = "REGION", requires = "stack")]
    region: Option<String>,
    /// Where AWS is, for tests
    #[arg(long, env = "CUECARD_AWS_ENDPOINT", hide = true)]
    endpoint: Option<String>,
}

/// What came of looking at something.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// Whether nothing has to be done.
    pub well: bool,
    /// How it is.
    pub state: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    /// Nothing has to be done.
    pub fn well(what: impl Into<String>, state: impl Into<String>) -> Self {
        Self { what: what.into(), well: true, state: state.into(), advice: None }
    }

    /// Something has to be done.
    pub fn ill(what: impl Into<String>, state: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), well: false, state: state.into(), advice: Some(advice.into()) }
    }
}

impl Row for Finding {
    const COLUMNS: &'static [&'static str] = &["", "WHAT", "STATE"];

    fn cells(&self) -> Vec<String> {
        let mark = if self.well { "ok" } else { "!!" };
        vec![mark.to_owned(), self.what.clone(), self.state.clone()]
    }
}

impl Doctor {
    pub async fn run(self, session: &Session) -> Result {
        let mut findings = of_platform(session).await;
        if let Some(stack) = &self.stack {
            findings.extend(deployment::look(stack, self.region, self.endpoint).await?);
        }
        let ill: Vec<Finding> = findings.iter().filter(|finding| !finding.well).cloned().collect();
        session.output.show(&Page { data: findings, next_cursor: None })?;
        if ill.is_empty() {
            return Ok(());
        }
        let advice = ill
            .iter()
            .filter_map(|finding| Some(format!("  {}: {}", finding.what, finding.advice.as_ref()?)));
        let advice = advice.collect::<Vec<_>>().join("\n");
        Err(Failure::Unavailable(format!("{} of these are not well:\n{advice}", ill.len())))
    }
}

/// The platform, as it sees itself, and the key, as it sees us.
async fn of_platform(session: &Session) -> Vec<Finding> {
    let client = &session.client;
    let url = client.url();
    let health = match client.health().await {
        Ok(health) => Finding::well("platform", format!("Cuecard {} at {url}", health.version)),
        Err(error) => {
            let advice = "start it (make run), or say where it is: --url, CUECARD_URL, cuecard login";
            return vec![Finding::ill("platform", Failure::from(error).chain(), advice)];
        }
    };
    let mut findings = vec![health];
    match client.readiness().await {
        Ok(readiness) => findings.extend(readiness.dependencies.iter().map(|(name, dependency)| {
            let state = format!("{}, {:.0} ms", dependency.status, dependency.latency_ms);
            match dependency.status.as_str() {
                "ok" => Finding::well(name, state),
                _ => Finding::ill(name, state, advice_on(name)),
            }
        })),
        Err(error) => {
            findings.push(Finding::ill("/readyz", Failure::from(error).chain(), "look into its log"));
        }
    }
    findings.push(match client.ranking(&client::metrics::RankingQuery::default()).await {
        Ok(_) => Finding::well("key", "good"),
        Err(error) => Finding::ill("key", Failure::from(error).chain(), "cuecard login, or CUECARD_API_KEY"),
    });
    findings
}

fn advice_on(dependency: &str) -> &'static str {
    match dependency {
        "registry" | "telemetry" => {
            "see whether the table is there and ACTIVE, and whether the function may read it: cuecard doctor --stack"
        }
        "objects" => {
            "see whether the bucket is there, and whether the function may read it: cuecard doctor --stack"
        }
        _ => "see the log of the function: it says why",
    }
}
