//! Test sets.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use client::test_sets::NewTestSet;
use domain::TestSetId;
use serde_json::json;

use crate::{
    arguments::Most,
    failure::{Failure, Result},
    output::print,
    session::Session,
    values::{bytes, text},
};

const EXAMPLES: &str = "\
Examples:
  cuecard test-sets create \"Labelled tickets\" --team support
  cuecard test-sets put tst_… tickets.jsonl          also .csv, or promptfoo's .yaml
  cuecard test-sets cases tst_… > tickets.jsonl
  cuecard test-sets add tst_… '{\"vars\": {\"message\": \"Hi\"}, \"expected\": \"greeting\"}'";

/// Test sets: what versions are evaluated on
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum TestSets {
    /// List a team's test sets
    List {
        #[command(flatten)]
        most: Most,
    },
    /// Show a test set
    Show(One),
    /// List the versions of a test set, newest first
    Versions {
        /// Which test set
        test_set: TestSetId,
        #[command(flatten)]
        most: Most,
    },
    /// Make a test set without cases
    Create {
        /// Its name
        name: String,
    },
    /// Put cases as a new version
    Put(Put),
    /// Print the cases, as JSON lines
    Cases {
        /// Which test set
        test_set: TestSetId,
        /// Of which version; else of the newest
        #[arg(long)]
        version: Option<u32>,
    },
    /// Add one case
    Add {
        /// Which test set
        test_set: TestSetId,
        /// The case, as JSON; @FILE reads it
        case: String,
    },
    /// Delete a test set with all its cases; figures of runs stay
    Delete(One),
}

#[derive(Args)]
pub struct One {
    /// Which test set
    test_set: TestSetId,
}

#[derive(Args)]
pub struct Put {
    /// Which test set
    test_set: TestSetId,
    /// The cases: .jsonl, .csv, or promptfoo's .yaml; `-` reads JSON lines from standard input
    file: PathBuf,
}

impl TestSets {
    pub async fn run(self, session: &Session) -> Result {
        let (client, output) = (&session.client, session.output);
        match self {
            Self::List { most } => {
                output.show(&client.test_sets(session.team.as_deref(), most.count()).await?)
            }
            Self::Show(One { test_set }) => output.show(&client.test_set(test_set).await?),
            Self::Versions { test_set, most } => {
                output.show(&client.test_set_versions(test_set, most.count()).await?)
            }
            Self::Create { name } => {
                let team_id = session.team_of(None)?.parse().map_err(Failure::Usage)?;
                if !session.may(&format!("make the test set `{name}` of {team_id}"))? {
                    return Ok(());
                }
                output.show(&client.create_test_set(&NewTestSet { name, team_id }).await?)
            }
            Self::Put(put) => put.run(session).await,
            Self::Cases { test_set, version } => print(&client.test_set_cases(test_set, version).await?),
            Self::Add { test_set, case } => {
                let case = text(&case)?;
                if !session.may(&format!("add a case to {test_set}"))? {
                    return Ok(());
                }
                output.show(&client.add_case(test_set, &case).await?)
            }
            Self::Delete(One { test_set }) => {
                if !session.may(&format!("delete {test_set} with all its cases"))? {
                    return Ok(());
                }
                client.delete_test_set(test_set).await?;
                output.say(&format!("{test_set} is deleted."), &json!({ "deleted": test_set }))
            }
        }
    }
}

impl Put {
    async fn run(self, session: &Session) -> Result {
        let Self { test_set, file } = self;
        let (media_type, cases) = (media_type(&file)?, bytes(&file)?);
        if !session.may(&format!("put {} as a new version of {test_set}", file.display()))? {
            return Ok(());
        }
        session.output.show(&session.client.put_cases(test_set, media_type, cases).await?)
    }
}

fn media_type(file: &Path) -> Result<&'static str> {
    let extension = file.extension().and_then(|extension| extension.to_str());
    match extension {
        _ if file == Path::new("-") => Ok("application/jsonl"),
        Some("jsonl" | "ndjson") => Ok("application/jsonl"),
        Some("csv") => Ok("text/csv"),
        Some("yaml" | "yml") => Ok("application/yaml"),
        _ => Err(Failure::Usage(format!("{}: cases are in .jsonl, .csv or .yaml", file.display()))),
    }
}
