//! Keeping a key.

use std::io::{self, BufRead as _, IsTerminal as _};

use clap::Args;
use client::{Client, Settings, metrics::RankingQuery};
use domain::key::PresentedKey;
use serde_json::json;
use terminal::Term;

use crate::{
    arguments::Globals,
    failure::{Failure, Result},
    output::Output,
    profile::{DEFAULT, Profile, ProfileFile},
    sources,
};

const EXAMPLES: &str = "\
Examples:
  cuecard login --url https://cuecard.example.com               asks for the key, and does not show it
  cuecard login --url http://127.0.0.1:7070 --profile local < .cuecard/admin-key
  cuecard login --forget --profile local";

/// Keep a key for later commands
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Login {
    /// Forget the profile and its key
    #[arg(long)]
    forget: bool,
}

impl Login {
    pub async fn run(self, globals: &Globals, output: Output) -> Result {
        let file = ProfileFile::new(globals)?;
        let mut profiles = file.read()?;
        let name = globals.profile.clone().or_else(|| profiles.current.clone());
        let name = name.unwrap_or_else(|| DEFAULT.to_owned());
        if self.forget && globals.dry_run {
            return output.would(&format!("forget profile `{name}` and its key"));
        }
        if self.forget {
            profiles.profiles.remove(&name);
            profiles.current = profiles.current.filter(|current| *current != name);
            file.write(&profiles)?;
            return output.say(&format!("Forgot profile `{name}`."), &json!({ "forgotten": name }));
        }
        let known = profiles.profiles.get(&name).map(|profile| profile.url.clone());
        let url =
            globals.url.clone().or(known).ok_or_else(|| Failure::Usage("Where? Say --url".to_owned()))?;
        let api_key = globals.api_key.clone().map_or_else(asked_for, Ok)?;
        if PresentedKey::parse(&api_key).is_none() {
            return Err(Failure::Usage("That is no key: it would be cue_<id>_<secret>".to_owned()));
        }
        let settings = Settings { url: url.clone(), api_key: Some(api_key.clone()), user: None };
        let client = Client::new(settings, sources::system())?;
        // Every role may see what calls came to.
        client.ranking(&RankingQuery { days: Some(1), ..RankingQuery::default() }).await?;
        if globals.dry_run {
            return output.would(&format!("keep the key in profile `{name}`, which asks {}", client.url()));
        }
        profiles.profiles.insert(name.clone(), Profile { url, api_key, team: globals.team.clone() });
        profiles.current = Some(name.clone());
        file.write(&profiles)?;
        let words = format!("The key is good. Profile `{name}` asks {} from now on.", client.url());
        output.say(&words, &json!({ "profile": name, "url": client.url() }))
    }
}

/// The key, from a person who is not shown it, or from a pipe.
fn asked_for() -> Result<String> {
    if io::stdin().is_terminal() {
        let asked = Term::stderr();
        asked.write_str("Key: ")?;
        return Ok(asked.read_secure_line()?.trim().to_owned());
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}
