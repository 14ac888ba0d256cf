//! What a command works with: the API, the person, and what they allow.

use std::io::{IsTerminal as _, stderr, stdin};

use client::{Client, Settings, prompts::Prompt, versions::Version};
use domain::{Sources, VersionId};

use crate::{
    arguments::Globals,
    failure::{Failure, Result},
    output::Output,
    paper::clean,
    profile::ProfileFile,
    which::Which,
};

/// Where `local` listens when nothing is said.
const LOCAL: &str = "http://127.0.0.1:7070";

/// What a command works with.
pub struct Session {
    pub client: Client,
    pub output: Output,
    pub team: Option<String>,
    pub dry_run: bool,
    /// The key, for what goes past the API.
    pub api_key: Option<String>,
    yes: bool,
}

impl Session {
    /// By the command line, else the environment, else the profile.
    pub fn new(globals: &Globals, output: Output, sources: Sources) -> Result<Self> {
        let profiles = ProfileFile::new(globals)?.read()?;
        let profile = profiles.chosen(globals.profile.as_deref())?.cloned();
        let of_profile = profile.clone().unwrap_or_default();
        let url = globals.url.clone().or_else(|| profile.map(|profile| profile.url));
        // A profile's key goes to the profile's own place only.
        let trusted = globals.url.as_ref().is_none_or(|url| *url == of_profile.url);
        let kept = Some(of_profile.api_key).filter(|key| trusted && !key.is_empty());
        let settings = Settings {
            url: url.unwrap_or_else(|| LOCAL.to_owned()),
            api_key: globals.api_key.clone().or(kept),
            user: globals.user.clone(),
        };
        Ok(Self {
            api_key: settings.api_key.clone(),
            client: Client::new(settings, sources)?,
            output,
            team: globals.team.clone().or(of_profile.team),
            dry_run: globals.dry_run,
            yes: globals.yes,
        })
    }

    /// A prompt as the API names it: with the team, where one is set and none is given.
    pub fn address(&self, prompt: &str) -> String {
        match &self.team {
            Some(team) if !prompt.contains('/') && !prompt.starts_with("prm_") => format!("{team}/{prompt}"),
            _ => prompt.to_owned(),
        }
    }

    /// A prompt.
    pub async fn prompt(&self, prompt: &str) -> Result<Prompt> {
        Ok(self.client.prompt(&self.address(prompt)).await?)
    }

    /// The team that a command needs.
    pub fn team_of(&self, given: Option<&str>) -> Result<String> {
        let team = given.map(str::to_owned).or_else(|| self.team.clone());
        team.ok_or_else(|| Failure::Usage("Whose? Say --team".to_owned()))
    }

    /// The id of a version of a prompt.
    pub async fn version_id(&self, prompt: &Prompt, which: &Which) -> Result<VersionId> {
        let none = |what: String| Failure::Missing(format!("{} has {what}.", prompt.address()));
        match which {
            Which::Id(id) => Ok(*id),
            Which::Newest => prompt.newest_version_id.ok_or_else(|| none("no version yet".to_owned())),
            Which::Number(number) => {
                let (id, number) = (prompt.prompt_id.to_string(), number.to_string());
                Ok(self.client.diff(&id, &number, &number).await?.from.version_id)
            }
            Which::Live(environment) => {
                let live = prompt.environment(environment).and_then(|live| live.version_id);
                live.ok_or_else(|| none(format!("nothing live in `{environment}`")))
            }
        }
    }

    /// A version of a prompt.
    pub async fn version(&self, prompt: &Prompt, which: &Which) -> Result<Version> {
        Ok(self.client.version(self.version_id(prompt, which).await?).await?)
    }

    /// Whether a change may be made now: not in a dry run, which says what it would be.
    pub fn may(&self, deed: &str) -> Result<bool> {
        if self.dry_run {
            self.output.would(deed)?;
        }
        Ok(!self.dry_run)
    }

    /// Whether a change there has to be confirmed, for it reaches users and nobody said `--yes`.
    pub fn asks_in(&self, environment: &str) -> bool {
        environment == domain::PRODUCTION && !self.yes
    }

    /// Whether a change that reaches users may be made now: a person is asked, and a script says `--yes`.
    pub fn may_in(&self, environment: &str, deed: &str) -> Result<bool> {
        if !self.may(deed)? {
            return Ok(false);
        }
        if !self.asks_in(environment) {
            return Ok(true);
        }
        let question = clean(&format!("This will {deed}."));
        if !stdin().is_terminal() || !stderr().is_terminal() {
            return Err(Failure::Usage(format!(
                "{question} Say --yes to do it: nobody is here to be asked."
            )));
        }
        let asked = terminal::Term::stderr();
        asked.write_str(&format!("{question} Go on? [y/N] "))?;
        let answer = asked.read_line()?;
        if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            return Ok(true);
        }
        Err(Failure::Usage("Nothing was done.".to_owned()))
    }
}
