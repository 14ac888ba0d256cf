//! Versions.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use client::versions::{NewVersion, Version};
use domain::content::TemplateFormat;
use serde::de::{IntoDeserializer as _, value::Error as Unknown};

use super::eval;
use crate::{
    arguments::Most,
    failure::{Failure, Result},
    files,
    session::Session,
    values::text,
    which::Which,
};

const EXAMPLES: &str = "\
Examples:
  cuecard versions list support/ticket-classifier
  cuecard versions show support/ticket-classifier production
  cuecard versions diff support/ticket-classifier production newest
  cuecard versions create support/greeting --template 'Hello {{ name }}' --model gpt-4o-mini --note \"First try\"
  cuecard versions create support/greeting --file greeting.prompt.md --wait
  cuecard versions approve support/greeting newest --reason \"Read it twice\"

With --wait the exit code tells the verdict: 0 passed or nothing to evaluate on, 3 failed or too close to call, 1 without a
verdict.";

/// Versions: read, write, compare and approve them
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Versions {
    /// List a prompt's versions, newest first
    List(List),
    /// Show a version and what it says
    Show(One),
    /// Write a version; it is evaluated by itself
    Create(Box<Create>),
    /// Compare two versions
    Diff(Diff),
    /// Give a releaser's word that a version may go live
    Approve(Approve),
}

#[derive(Args)]
pub struct List {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    #[command(flatten)]
    most: Most,
}

#[derive(Args)]
pub struct One {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// The version: its number or id, `newest`, or an environment where it is live
    #[arg(default_value = "newest")]
    version: Which,
}

#[derive(Args)]
pub struct Diff {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// The older version: its number or id, `newest`, or an environment where it is live
    from: Which,
    /// The newer version
    to: Which,
}

#[derive(Args)]
pub struct Approve {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// The version: its number or id, or `newest`
    version: Which,
    /// For which environment
    #[arg(long = "for", value_name = "ENVIRONMENT", default_value = domain::PRODUCTION)]
    environment: String,
    /// Why it may
    #[arg(long)]
    reason: String,
}

/// What a new version says.
#[derive(Args)]
pub struct Create {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// A prompt file (.prompt.md, .prompt, .prompty), or the API's body as .json or .yaml; what else is said here
    /// takes the place of what it says
    #[arg(long, short)]
    file: Option<PathBuf>,
    /// The template; @FILE reads it
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    template: Option<String>,
    /// The system prompt; @FILE reads it
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    system: Option<String>,
    /// How templates are written: jinja, mustache or plain
    #[arg(long, value_parser = template_format)]
    format: Option<TemplateFormat>,
    /// The model
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Sampling temperature
    #[arg(long)]
    temperature: Option<f64>,
    /// The most tokens of an answer
    #[arg(long)]
    max_tokens: Option<u32>,
    /// Why it is written
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// The version that it was written on: refused when that is not the newest any more
    #[arg(long, value_name = "VERSION")]
    based_on: Option<Which>,
    /// Wait up to 25 seconds for its evaluation
    #[arg(long)]
    wait: bool,
}

fn template_format(text: &str) -> Result<TemplateFormat, Unknown> {
    serde::Deserialize::deserialize(text.into_deserializer())
}

impl Versions {
    pub async fn run(self, session: &Session) -> Result {
        match self {
            Self::List(List { prompt, most }) => {
                session.output.show(&session.client.versions(&session.address(&prompt), most.count()).await?)
            }
            Self::Show(One { prompt, version }) => {
                let prompt = session.prompt(&prompt).await?;
                session.output.show(&session.version(&prompt, &version).await?)
            }
            Self::Create(create) => create.run(session).await,
            Self::Diff(diff) => diff.run(session).await,
            Self::Approve(approve) => approve.run(session).await,
        }
    }
}

impl Diff {
    async fn run(self, session: &Session) -> Result {
        let prompt = session.prompt(&self.prompt).await?;
        let from = session.version_id(&prompt, &self.from).await?.to_string();
        let to = session.version_id(&prompt, &self.to).await?.to_string();
        session.output.show(&session.client.diff(&prompt.prompt_id.to_string(), &from, &to).await?)
    }
}

impl Approve {
    async fn run(self, session: &Session) -> Result {
        let prompt = session.prompt(&self.prompt).await?;
        let version = session.version(&prompt, &self.version).await?;
        let deed = format!("approve version {} for {}", version.version_number, self.environment);
        if !session.may(&deed)? {
            return Ok(());
        }
        let approved = session.client.approve(version.version_id, &self.environment, &self.reason).await?;
        session.output.show(&approved)
    }
}

impl Create {
    async fn run(self, session: &Session) -> Result {
        let wait = if self.wait { 25 } else { 0 };
        let address = session.address(&self.prompt);
        let new = self.new_version(session).await?;
        if !session.may(&format!("write a version of {address}"))? {
            return Ok(());
        }
        let version = session.client.create_version(&address, &new, wait).await?;
        if version.unchanged {
            session.output.note("The newest version says the same already: nothing was made.");
        }
        session.output.show(&version)?;
        if self.wait { verdict_of(&version) } else { Ok(()) }
    }

    async fn new_version(&self, session: &Session) -> Result<NewVersion> {
        let mut new = match &self.file {
            Some(path) => files::new_version(path)?,
            None => NewVersion::default(),
        };
        if let Some(template) = &self.template {
            new.template_text = Some(text(template)?);
        }
        if let Some(system) = &self.system {
            new.system_prompt = Some(text(system)?);
        }
        new.template_format = self.format.unwrap_or(new.template_format);
        new.model_id = self.model.clone().or(new.model_id);
        new.temperature = self.temperature.or(new.temperature);
        new.max_tokens = self.max_tokens.or(new.max_tokens);
        new.note = self.note.clone().or(new.note);
        if let Some(which) = &self.based_on {
            let prompt = session.prompt(&self.prompt).await?;
            new.based_on = Some(session.version_id(&prompt, which).await?);
        }
        Ok(new)
    }
}

/// Who waited for an evaluation is told by the exit code how it went.
fn verdict_of(version: &Version) -> Result {
    match (version.eval_status.as_str(), &version.eval_run) {
        ("none" | "passed", _) => Ok(()),
        ("pending", Some(run)) => eval::verdict(run),
        ("pending", None) => Err(Failure::Failed("The evaluation has no verdict.".to_owned())),
        (says, _) => Err(Failure::Refused(format!("The evaluation says: {says}."))),
    }
}
