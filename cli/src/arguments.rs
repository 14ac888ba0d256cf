//! The command line, and the environment beside it.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};

use crate::commands::Command;

const MORE: &str = "\
Examples:
  cuecard login --url http://127.0.0.1:7070       once: keeps the key for later commands
  cuecard prompts list --search support
  cuecard versions diff support/ticket-classifier production newest
  cuecard promote support/ticket-classifier newest --to staging
  cuecard rollback support/ticket-classifier --reason \"Users complain\"

Exit codes:
  0  done
  1  failed: what was asked for went wrong, or an evaluation ended without a verdict
  2  the command line or what was sent does not read, or production was not confirmed
  3  refused by the gate, a lock or a running trial; or an evaluation that was watched did not pass
  4  there is no such thing, or it is archived
  5  no key, or its role does not reach
  6  something changed meanwhile, or is in the way: look at it first
  7  the platform or a dependency of it does not answer";

/// Release engineering for prompts: versions, evaluations, releases and rollbacks
#[derive(Parser)]
#[command(name = "cuecard", version, after_help = MORE, max_term_width = 110, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

/// What all commands take.
#[derive(Args, Clone)]
pub struct Globals {
    /// Where the API is; else the profile's
    #[arg(long, env = "CUECARD_URL", value_name = "URL", global = true, help_heading = "For all commands")]
    pub url: Option<String>,
    /// The key, cue_<id>_<secret>; else the profile's
    #[arg(long, env = "CUECARD_API_KEY", value_name = "KEY", hide_env_values = true, global = true)]
    #[arg(help_heading = "For all commands")]
    pub api_key: Option<String>,
    /// Which profile to be; else the one of the last login
    #[arg(long, env = "CUECARD_PROFILE", value_name = "NAME", global = true)]
    #[arg(help_heading = "For all commands")]
    pub profile: Option<String>,
    /// The team whose prompts are named without it; else the profile's
    #[arg(long, env = "CUECARD_TEAM", value_name = "TEAM", global = true, help_heading = "For all commands")]
    pub team: Option<String>,
    /// The person for whom the key acts, for the audit
    #[arg(long, env = "CUECARD_USER", value_name = "NAME", global = true, help_heading = "For all commands")]
    pub user: Option<String>,
    /// How answers are shown
    #[arg(long, short, value_enum, default_value_t, global = true, help_heading = "For all commands")]
    pub output: Format,
    /// Say what would be done, and do nothing
    #[arg(long, global = true, help_heading = "For all commands")]
    pub dry_run: bool,
    /// Do not ask before production changes
    #[arg(long, short, global = true, help_heading = "For all commands")]
    pub yes: bool,
    /// Where profiles are kept
    #[arg(long, env = "CUECARD_CONFIG_FOLDER", value_name = "FOLDER", global = true)]
    #[arg(help_heading = "For all commands")]
    pub config_folder: Option<PathBuf>,
    /// The folder of all programs' settings, as the desktop says it.
    #[arg(long, env = "XDG_CONFIG_HOME", hide = true, global = true)]
    pub xdg_config_home: Option<PathBuf>,
}

/// How answers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// The API's own fields
    Json,
    /// The same, as YAML
    Yaml,
}

/// How much of a list is shown.
#[derive(Args)]
pub struct Most {
    /// How many at most
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// All of them
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

impl Most {
    /// The number of it.
    pub fn count(&self) -> usize {
        if self.all { usize::MAX } else { self.limit as usize }
    }
}

/// Which things are listed of those that belong to a team, or to all.
#[derive(Args)]
pub struct OfTeam {
    /// Whose; else those for all teams
    #[arg(long, value_name = "TEAM")]
    pub of_team: Option<String>,
    #[command(flatten)]
    pub most: Most,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The words of a line of a shell.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quoted) = (vec![String::new()], false);
        for character in line.chars() {
            match character {
                '"' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                _ => words.last_mut().unwrap().push(character),
            }
        }
        words
    }

    /// The commands of a text: lines of their own, and those within a line that name what they are about.
    fn commands(text: &str) -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.split(" | ").next());
        let within = text.split('`').skip(1).step_by(2).filter(|code| code.contains('…'));
        let commands = lines.chain(within).map(|command| command.trim().replace('\n', " "));
        let commands = commands.filter(|command| command.starts_with("cuecard "));
        // Any id will do.
        let id = |command: String| command.replace("_…", "_01JD0000000000000000000000");
        commands.map(id).collect()
    }

    /// Reads the commands of a text, and says how many there are.
    fn read(name: &str, text: &str) -> usize {
        let commands = commands(text);
        for command in &commands {
            let arguments = Arguments::try_parse_from(words(command));
            assert!(arguments.is_ok(), "{name}: {command}\n{}", arguments.err().unwrap());
        }
        commands.len()
    }

    #[test]
    fn the_commands_of_the_runbooks_read() {
        let mut count = 0;
        for runbook in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/runbooks")).unwrap() {
            let path = runbook.unwrap().path();
            count += read(&path.display().to_string(), &fs::read_to_string(&path).unwrap());
        }
        assert!(count > 30, "{count}");
    }

    #[test]
    fn the_commands_that_deploy_read() {
        let readme = include_str!("../../README.md");
        let deployment = readme.split("\n## ").find(|section| section.starts_with("Deploy it\n")).unwrap();
        let count = read("README.md", deployment);
        assert!(count > 10, "{count}");
    }
}
