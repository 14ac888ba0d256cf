//! Files, brought up to the registry.

use std::{collections::BTreeMap, fs, path::PathBuf};

use clap::Args;

use super::export::{Newest, newest_of_all, write};
use crate::{
    failure::{Failure, Result},
    files::{self, OURS, Read, place_of, with_version},
    session::Session,
    sync::{About, Line, Plan, Standing, plan_all, report},
};

const EXAMPLES: &str = "\
Examples:
  cuecard pull                                 all files below this folder, and new prompts
  cuecard pull prompts --team support
  cuecard pull prompts --dry-run

Files that were changed here are left as they are. Where both sides changed, nothing is written at all, the difference is
shown, and the exit code is 6: merge by hand, or say --force to take what the registry says. A file was changed here unless
it is, byte for byte, what cuecard wrote for its version: a comment, a description or a tag is a change too.";

/// Bring files up to the newest versions
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Pull {
    /// The folder of the files
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Leave out prompts that have no file here
    #[arg(long)]
    known: bool,
    /// Take what the registry says where both sides changed, and its descriptions and tags
    #[arg(long)]
    force: bool,
}

/// What is done about a prompt.
enum Step {
    /// A file is written.
    Write { path: PathBuf, newest: Box<Newest> },
    /// A file says which version it is.
    Note { path: PathBuf, number: u32 },
    /// Nothing.
    Leave,
}

impl Pull {
    pub async fn run(self, session: &Session) -> Result {
        let mut newest: BTreeMap<String, Newest> = BTreeMap::new();
        for found in newest_of_all(session).await? {
            newest.insert(found.prompt.address(), found);
        }
        let mut steps = Vec::new();
        for plan in plan_all(session, self.files()?, About::Prompts).await? {
            let found = plan.prompt.as_ref().and_then(|prompt| newest.remove(&prompt.address()));
            steps.push(self.about(plan, found));
        }
        if !self.known {
            for (_, newest) in newest {
                let path = self.folder.join(place_of(&newest.prompt));
                steps.push(fresh(path, newest));
            }
        }
        let blocked = steps.iter().any(|(line, _)| line.outcome == "conflict");
        let mut lines = Vec::new();
        for (line, step) in steps {
            if !blocked && !session.dry_run {
                step.take()?;
            }
            lines.push(line);
        }
        report(session, &lines, "Nothing was written: both sides changed. Merge by hand, or say --force.")
    }

    fn files(&self) -> Result<Vec<Read>> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        let paths = files::all_in(std::slice::from_ref(&self.folder), &[OURS])?;
        paths.iter().map(|path| files::read_ours(path)).collect()
    }

    /// What is done about a file.
    fn about(&self, plan: Plan, newest: Option<Newest>) -> (Line, Step) {
        let number = newest.as_ref().map(|newest| newest.number);
        let line = |outcome, why: Option<&str>| Line {
            prompt: plan.address.clone(),
            file: plan.path.display().to_string(),
            outcome,
            why: why.map(str::to_owned),
            version: number,
            diff: None,
        };
        let path = plan.path.clone();
        let noted = number.filter(|number| plan.file.version != Some(*number));
        let noted = noted.map_or(Step::Leave, |number| Step::Note { path: path.clone(), number });
        match (plan.standing, newest) {
            (Standing::Unchanged, _) => (line("no change", None), noted),
            (Standing::Behind, Some(newest)) => {
                let newest = Box::new(newest);
                (line("updated", None).with_diff(plan.diff.as_ref()), Step::Write { path, newest })
            }
            (Standing::Relabelled | Standing::Edited | Standing::Conflict, Some(newest)) if self.force => {
                let newest = Box::new(newest);
                (line("written over", plan.why).with_diff(plan.diff.as_ref()), Step::Write { path, newest })
            }
            (Standing::Relabelled, _) => {
                let why = "its description or tags: push them, or pull --force";
                (line("differs", Some(why)).with_diff(plan.diff.as_ref()), noted)
            }
            (Standing::Edited | Standing::Conflict, _) => {
                (line("conflict", plan.why).with_diff(plan.diff.as_ref()), Step::Leave)
            }
            (Standing::Behind, None) => (line("behind", Some("left out by --team")), Step::Leave),
            (Standing::Changed, _) => (line("changed here", Some("cuecard push writes it")), Step::Leave),
            (Standing::New, _) => (line("only here", Some("cuecard push makes it")), Step::Leave),
        }
    }
}

/// A prompt that has no file yet: another one's file in its place is not touched.
fn fresh(path: PathBuf, newest: Newest) -> (Line, Step) {
    let taken = path.exists();
    let line = Line {
        prompt: newest.prompt.address(),
        file: path.display().to_string(),
        outcome: if taken { "conflict" } else { "new" },
        why: taken.then(|| "another file is in its place".to_owned()),
        version: Some(newest.number),
        diff: None,
    };
    let step = if taken { Step::Leave } else { Step::Write { path, newest: Box::new(newest) } };
    (line, step)
}

impl Step {
    fn take(self) -> Result {
        match self {
            Self::Write { path, newest } => write(&path, &newest.file.text()?),
            Self::Note { path, number } => {
                let text = fs::read_to_string(&path).map_err(Failure::file(&path))?;
                let text = with_version(&text, number).map_err(Failure::Failed)?;
                fs::write(&path, text).map_err(Failure::file(&path))
            }
            Self::Leave => Ok(()),
        }
    }
}
