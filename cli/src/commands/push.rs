//! Files into the registry.

use std::{fs, path::PathBuf};

use clap::Args;
use client::prompts::PromptUpdate;

use crate::{
    failure::{Failure, Result},
    files::{self, OURS, with_version},
    session::Session,
    sync::{About, Line, Plan, Standing, plan_all, report, write_all},
};

const EXAMPLES: &str = "\
Examples:
  cuecard push                                 all *.prompt.md below this folder
  cuecard push prompts/support --dry-run       what would be written, with the difference
  cuecard push prompts --note \"$(git log -1 --format=%s)\"

A file says on which version it was written (`version:`). Where the registry has a newer one that says something else,
nothing is written at all, the difference is shown, and the exit code is 6: pull, or say --force. A version that is pushed
is evaluated, and goes nowhere by itself. A description and tags that were changed here go to the prompt itself; what a file
leaves out stays.";

/// Write what changed in files as new versions
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Push {
    /// Files, and folders of them
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Why, for the new versions
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Write over newer versions too: they stay, and are not the newest any more
    #[arg(long)]
    force: bool,
}

impl Push {
    pub async fn run(self, session: &Session) -> Result {
        let paths = files::all_in(&self.paths, &[OURS])?;
        let read = paths.iter().map(|path| files::read_ours(path)).collect::<Result<Vec<_>>>()?;
        let plans = plan_all(session, read, About::Prompts).await?;
        let writes = |plan: &Plan| match plan.standing {
            Standing::New | Standing::Changed => true,
            Standing::Relabelled => plan.labels.update != PromptUpdate::default(),
            Standing::Conflict => self.force,
            Standing::Unchanged | Standing::Behind | Standing::Edited => false,
        };
        let blocked = plans.iter().any(|plan| plan.standing == Standing::Conflict) && !self.force;
        if session.dry_run || blocked {
            let lines: Vec<_> = plans.iter().map(|plan| line(plan, writes(plan))).collect();
            return report(session, &lines, "Nothing was written: both sides changed. Pull, or say --force.");
        }
        let written = write_all(session, plans, self.note.as_deref(), writes).await?;
        let mut lines = Vec::new();
        for (plan, version) in &written {
            let newest = version.as_ref().or(plan.newest.as_ref()).map(|version| version.version_number);
            let is_the_newest = matches!(plan.standing, Standing::Unchanged | Standing::Relabelled);
            let settled = version.is_some() || is_the_newest;
            if let Some(number) = newest.filter(|number| settled && plan.file.version != Some(*number)) {
                note_version(&plan.path, number)?;
            }
            lines.push(Line { version: newest, ..line(plan, version.is_some()) });
        }
        report(session, &lines, "Some files are in the way.")
    }
}

/// The file says from now on which version it is.
fn note_version(path: &PathBuf, number: u32) -> Result {
    let text = fs::read_to_string(path).map_err(Failure::file(path))?;
    let text = with_version(&text, number).map_err(Failure::Failed)?;
    fs::write(path, text).map_err(Failure::file(path))
}

/// What a plan comes to, in a line.
pub fn line(plan: &Plan, written: bool) -> Line {
    let stays = plan.labels.stay().then_some("the registry's description or tags stay");
    let (outcome, why) = match plan.standing {
        Standing::New => ("new", None),
        Standing::Unchanged => ("no change", None),
        Standing::Relabelled if plan.labels.update == PromptUpdate::default() => ("not pushed", stays),
        Standing::Relabelled => ("changed", stays.or(Some("its description or tags"))),
        Standing::Changed => ("changed", stays),
        Standing::Behind | Standing::Edited => {
            ("behind", Some("the registry has a newer version: cuecard pull"))
        }
        Standing::Conflict if written => ("written over", plan.why),
        Standing::Conflict => ("conflict", plan.why),
    };
    let line = Line {
        prompt: plan.address.clone(),
        file: plan.path.display().to_string(),
        outcome,
        why: why.map(str::to_owned),
        version: plan.newest.as_ref().map(|version| version.version_number),
        diff: None,
    };
    line.with_diff(plan.diff.as_ref())
}
