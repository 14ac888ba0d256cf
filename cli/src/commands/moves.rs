//! Moving what is live, and seeing who moved what.

use clap::Args;
use client::{
    environments::Environment,
    moves::{Override, Promotion, Rollback as Wish, RolledBack},
    prompts::Prompt,
    versions::Version,
};
use domain::Timestamp;

use crate::{
    arguments::Most,
    failure::{Failure, Result},
    session::Session,
    show::verdict,
    values::moment,
    which::Which,
};

mod direct;

const PROMOTE_EXAMPLES: &str = "\
Examples:
  cuecard promote support/ticket-classifier newest --to staging
  cuecard promote support/ticket-classifier staging --to production --reason \"Fewer wrong refunds\" --yes
  cuecard promote support/ticket-classifier 4 --override \"Legal asks for it today\"";

const ROLLBACK_EXAMPLES: &str = "\
Examples:
  cuecard rollback support/ticket-classifier --reason \"Users complain\"
  cuecard rollback support/ticket-classifier --to 2 --yes
  cuecard rollback support/ticket-classifier --direct --function cuecard-rollback --reason \"It is down\" --yes
                                invokes the function itself, where gateway and console are down";

const HISTORY_EXAMPLES: &str = "\
Examples:
  cuecard history support/ticket-classifier --limit 10
  cuecard history support/ticket-classifier -o json";

const CHANGES_EXAMPLES: &str = "\
Examples:
  cuecard changes                               the last 24 hours
  cuecard changes --since 7d
  cuecard changes --since 2026-11-20T07:00:00Z";

/// Make a version live in an environment
#[derive(Args)]
#[command(after_help = PROMOTE_EXAMPLES)]
pub struct Promote {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// The version: its number or id, `newest`, or an environment where it is live
    version: Which,
    /// Where
    #[arg(long, value_name = "ENVIRONMENT", default_value = domain::PRODUCTION)]
    to: String,
    /// Why, for the history
    #[arg(long)]
    reason: Option<String>,
    /// An admin's reason to pass by the gate, locks and warnings
    #[arg(long = "override", value_name = "REASON")]
    overriding: Option<String>,
}

/// Make live again what was live before
#[derive(Args)]
#[command(after_help = ROLLBACK_EXAMPLES)]
pub struct Rollback {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// Where
    #[arg(long, value_name = "ENVIRONMENT", default_value = domain::PRODUCTION)]
    env: String,
    /// To which version; else to what was live before
    #[arg(long, value_name = "VERSION")]
    to: Option<Which>,
    /// Why, for the history
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    direct: direct::Direct,
}

/// Who moved what, when and why
#[derive(Args)]
#[command(after_help = HISTORY_EXAMPLES)]
pub struct History {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    #[command(flatten)]
    most: Most,
}

/// What moved lately, over all prompts
#[derive(Args)]
#[command(after_help = CHANGES_EXAMPLES)]
pub struct Changes {
    /// From when on: a time, or how long ago, as 30m, 12h or 7d
    #[arg(long, default_value = "24h")]
    since: String,
    #[command(flatten)]
    most: Most,
}

impl Promote {
    pub async fn run(self, session: &Session) -> Result {
        let prompt = session.prompt(&self.prompt).await?;
        let version = session.version(&prompt, &self.version).await?;
        let live = live(session, &prompt, &self.to).await?;
        let deed = describe(&prompt, &version, &self.to, live.as_ref());
        if !session.may_in(&self.to, &deed)? {
            return Ok(());
        }
        let promotion = Promotion {
            version_id: version.version_id,
            environment: self.to,
            // What was shown is what is replaced.
            expected_revision: live.map(|live| live.moved_revision),
            reason: self.reason,
            overriding: self.overriding.map(|reason| Override { reason }),
        };
        session.output.show(&session.client.promote(&prompt.prompt_id.to_string(), &promotion).await?)
    }
}

/// What an environment holds; none before the first promotion there.
pub(super) async fn live(
    session: &Session,
    prompt: &Prompt,
    environment: &str,
) -> Result<Option<Environment>> {
    match session.client.environment(&prompt.prompt_id.to_string(), environment).await {
        Ok(live) => Ok(Some(live)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn describe(prompt: &Prompt, version: &Version, to: &str, live: Option<&Environment>) -> String {
    let before = live.and_then(|live| live.version_number);
    let before = before
        .map_or_else(|| "for the first time".to_owned(), |number| format!("in place of version {number}"));
    format!(
        "make version {} of {} ({}) live in {to}, {before}",
        version.version_number,
        prompt.address(),
        verdict(version)
    )
}

impl Rollback {
    pub async fn run(self, session: &Session) -> Result {
        if self.direct.direct {
            return self.run_directly(session).await;
        }
        let prompt = session.prompt(&self.prompt).await?;
        let live = live(session, &prompt, &self.env).await?;
        let live = live.ok_or_else(|| Failure::Missing(format!("Nothing is live in `{}` yet.", self.env)))?;
        let target = match &self.to {
            Some(which) => Some(session.version(&prompt, which).await?),
            None => None,
        };
        if !session.may_in(&self.env, &self.describe(&prompt, &live, target.as_ref()))? {
            return Ok(());
        }
        let wish = Wish {
            environment: self.env,
            target_version_id: target.map(|target| target.version_id),
            // Whatever was promoted a moment ago: a rollback wins.
            expected_revision: None,
            reason: self.reason,
        };
        session.output.show(&session.client.roll_back(&prompt.prompt_id.to_string(), &wish).await?)
    }

    fn describe(&self, prompt: &Prompt, live: &Environment, target: Option<&Version>) -> String {
        let ends = live.experiment_id.as_ref().map(|trial| format!(", which ends {trial}"));
        let to = match target {
            Some(target) => format!("to version {}", target.version_number),
            None if live.experiment_id.is_some() => "to its control".to_owned(),
            None => "to what was live before".to_owned(),
        };
        let from = live.version_number.map_or_else(String::new, |number| format!(" from version {number}"));
        let ends = ends.unwrap_or_default();
        format!("roll {} in {} back{from} {to}{ends}", prompt.address(), self.env)
    }

    async fn run_directly(self, session: &Session) -> Result {
        let deed = format!("roll {} in {} back, by invoking the function itself", self.prompt, self.env);
        if !session.may_in(&self.env, &deed)? {
            return Ok(());
        }
        let target = match &self.to {
            Some(Which::Id(id)) => Some(*id),
            None => None,
            // Where the API is down, nobody can say what a number stands for.
            Some(_) => {
                return Err(Failure::Usage("With --direct a version is named by its id, ver_…".to_owned()));
            }
        };
        let wish = Wish {
            environment: self.env,
            target_version_id: target,
            expected_revision: None,
            reason: self.reason,
        };
        let address = session.address(&self.prompt);
        let moved: RolledBack = self.direct.roll_back(&address, &wish, session.api_key.as_deref()).await?;
        session.output.show(&moved)
    }
}

impl History {
    pub async fn run(self, session: &Session) -> Result {
        let address = session.address(&self.prompt);
        session.output.show(&session.client.history(&address, self.most.count()).await?)
    }
}

impl Changes {
    pub async fn run(self, session: &Session) -> Result {
        let since: Timestamp = moment(&self.since, session.client.now())?;
        session.output.show(&session.client.changes(since, self.most.count()).await?)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::arguments::Arguments;

    /// The words of a line, as a shell takes it apart.
    fn words(line: &str) -> Vec<&str> {
        let parts = line.split('"').enumerate();
        parts
            .flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
            .collect()
    }

    #[test]
    fn every_example_of_a_rollback_reads() {
        let is_example = |line: &&str| line.starts_with("  cuecard ");
        let examples: Vec<_> = ROLLBACK_EXAMPLES.lines().filter(is_example).collect();
        assert_eq!(examples.len(), 3);
        for example in examples {
            let read = Arguments::try_parse_from(words(example));
            assert_eq!(read.err().map(|error| error.to_string()), None, "{example}");
        }
        let without_reason = ["cuecard", "rollback", "a/b", "--direct", "--function", "f", "--yes"];
        assert!(Arguments::try_parse_from(without_reason).is_err());
    }
}
