//! The command line, and the environment beside it.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};
use runtime::{Evaluation, Variables, configuration::name};

use crate::{StartError, mock::MockSettings, platform::Settings, restore::Restore};

const MORE: &str = "\
Examples:
  local                                  the demo workspace on port 7070
  local --port 8080 --data /srv/cuecard  another port and folder
  local --empty --admin-key cue_ci_s3cret --quiet
                                         for scripts: nothing loaded, a known key, no output
  local restore --table T --archive A    brings a copy of a table on AWS up to its archive

Environment:
  CUECARD_LOG                what is logged, as JSON on standard output: error, warn, info (default), debug
  CUECARD_EVAL_CONCURRENCY   how many cases of evaluations are worked on at once (default 64)
  CUECARD_JUDGE_MODEL        the model that judges llm-rubric and factuality where an assertion names none
  CUECARD_EMBEDDING_MODEL    the model whose embeddings `similar` compares where an assertion names none
  CUECARD_MODEL_HOSTS        the only hosts that models may be on, separated by commas (default any public one)
  CUECARD_WATCH_HOURS        after how many hours a live version is measured again (default 24; 0: never)
  CUECARD_WATCH_USD          the most that this may cost each time (default 10)
  CUECARD_MOCK_LATENCY_MS    how long the models mock/… take for an answer (default 0)
  CUECARD_MOCK_FAILURE_RATE  the share of their answers that fail, 0 to 1 (default 0)
  The providers' keys, under the names that the catalogue gives as secret_name.";

/// Cuecard on this machine: the whole platform in one process, with its data in one folder.
#[derive(Parser)]
#[command(name = "local", version, after_help = MORE)]
pub struct Args {
    /// The port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 7070)]
    pub port: u16,
    /// The folder of all data; made where it is missing
    #[arg(long, value_name = "FOLDER", default_value = "./.cuecard")]
    pub data: PathBuf,
    /// Leave out the demo workspace
    #[arg(long)]
    pub empty: bool,
    /// The admin's key, cue_<id>_<secret>; left out, one is made once and kept in <FOLDER>/admin-key
    #[arg(long, value_name = "KEY")]
    pub admin_key: Option<String>,
    /// A cache in front of the tables, redis://HOST:PORT; left out, memory stands alone
    #[arg(long, value_name = "URL")]
    pub cache_url: Option<String>,
    /// Say nothing on standard output but what goes wrong
    #[arg(long)]
    pub quiet: bool,
    /// Something else than to run the platform.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What else there is to do.
#[derive(Subcommand)]
pub enum Command {
    /// Bring a table on AWS that was restored to an earlier moment up to the archive of its audit
    ///
    /// Asks AWS with this machine's credentials. Nobody else may write into the table meanwhile. It may be cut short
    /// and begun again; where nothing is missing it does nothing. Ends with 1 where something was not followed or is
    /// lost. See docs/restore.md.
    Restore(Restore),
}

impl Args {
    /// What the command line and the environment come to.
    pub(crate) fn settings(&self, mut variables: Variables) -> Result<Settings, StartError> {
        let default = Settings::new(&self.data);
        let settings = Settings {
            port: self.port,
            admin_key: self.admin_key.clone(),
            cache_url: self.cache_url.clone(),
            eval_concurrency: variables.optional(name::EVAL_CONCURRENCY, default.eval_concurrency),
            evaluation: Evaluation::read(&mut variables),
            mock: MockSettings {
                latency: Duration::from_millis(variables.optional(name::MOCK_LATENCY_MS, 0)),
                failure_rate: variables.optional(name::MOCK_FAILURE_RATE, 0.0),
            },
            ..default
        };
        variables.finish().map_err(|error| StartError::configuration(&error))?;
        let wrong = |name: &str, rule: &str| Err(StartError::Configuration(format!("{name} {rule}")));
        if settings.eval_concurrency == 0 {
            return wrong(name::EVAL_CONCURRENCY, "is at least 1");
        }
        if !(0.0..=1.0).contains(&settings.mock.failure_rate) {
            return wrong(name::MOCK_FAILURE_RATE, "lies between 0 and 1");
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(line: &[&str], environment: &[(&str, &str)]) -> Result<Settings, String> {
        let args = Args::try_parse_from([&["local"], line].concat()).map_err(|error| error.to_string())?;
        let environment = environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        args.settings(Variables::of(environment)).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_given_is_the_documented_default() {
        let settings = settings(&[], &[]).unwrap();
        assert_eq!((settings.port, settings.folder.to_str()), (7070, Some("./.cuecard")));
        assert_eq!((settings.eval_concurrency, settings.mock.latency), (64, Duration::ZERO));
    }

    #[test]
    fn the_environment_sets_the_mock_and_the_pace() {
        let environment =
            [(name::MOCK_LATENCY_MS, "250"), (name::MOCK_FAILURE_RATE, "0.5"), (name::EVAL_CONCURRENCY, "7")];
        let settings = settings(&["--port", "0"], &environment).unwrap();
        assert_eq!(settings.mock.latency, Duration::from_millis(250));
        assert!((settings.mock.failure_rate - 0.5).abs() < 1e-9);
        assert_eq!((settings.eval_concurrency, settings.port), (7, 0));
    }

    #[test]
    fn what_means_nothing_is_refused_by_its_name_in_one_line() {
        for (name, value) in [
            (name::MOCK_LATENCY_MS, "-1"),
            (name::MOCK_FAILURE_RATE, "NaN"),
            (name::MOCK_FAILURE_RATE, "1.1"),
            (name::EVAL_CONCURRENCY, "0"),
            (name::EVAL_CONCURRENCY, "many"),
        ] {
            let error = settings(&[], &[(name, value)]).err().unwrap();
            assert!(error.contains(name) && error.lines().count() == 1, "{error}");
        }
    }
}
