//! Prompts of files, in any form that is read.

use std::path::PathBuf;

use clap::Args;

use super::push::line;
use crate::{
    failure::Result,
    files::{self, OURS, Read},
    session::Session,
    sync::{About, Line, Plan, Standing, plan_all, report, write_all},
};

const EXAMPLES: &str = "\
Examples:
  cuecard import prompts.jsonl --team library --model gpt-4o-mini
  cuecard import dotprompts/ --team growth --dry-run
  cuecard import greeting.prompty --team growth

Files are *.prompt.md (ours), *.prompt (dotprompt), *.prompty (Prompty), and *.jsonl with a line
{\"name\", \"text\", \"team\"?, \"description\"?, \"tags\"?, \"system\"?, \"model\"?, \"format\"?} for each prompt. Text of JSON lines
that says no format is plain: it is kept byte for byte, and nothing in it is rendered. Prompts that are there already
and say something else are left as they are; cuecard push changes them.";

/// Make prompts of files: of a folder, or of JSON lines
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Import {
    /// Files, and folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The model of those that name none
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Why, for the new versions
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Import {
    pub async fn run(self, session: &Session) -> Result {
        let mut read = Vec::new();
        for path in files::all_in(&self.paths, &[OURS, ".prompt", ".prompty", ".jsonl"])? {
            read.extend(files::read_any(&path)?);
        }
        for Read { prompt, .. } in &mut read {
            prompt.says.model_id = prompt.says.model_id.take().or_else(|| self.model.clone());
        }
        let plans = plan_all(session, read, About::Versions).await?;
        let writes = |plan: &Plan| plan.standing == Standing::New;
        if session.dry_run {
            let lines: Vec<_> = plans.iter().map(outcome).collect();
            return report(session, &lines, CONFLICTS);
        }
        let written = write_all(session, plans, self.note.as_deref(), writes).await?;
        let lines = written.iter().map(|(plan, version)| {
            let written = version.as_ref().map(|version| version.version_number);
            let line = outcome(plan);
            Line { version: written.or(line.version), ..line }
        });
        report(session, &lines.collect::<Vec<_>>(), CONFLICTS)
    }
}

const CONFLICTS: &str = "Some prompts are there already and say something else. To change them: cuecard push";

/// Whatever is there and says something else is in the way.
fn outcome(plan: &Plan) -> Line {
    let line = line(plan, false);
    match plan.standing {
        Standing::New | Standing::Unchanged => line,
        _ => Line {
            outcome: "conflict",
            why: Some("it is there already and says something else".to_owned()),
            ..line
        },
    }
}
