//! Prompts.

use clap::{Args, Subcommand};
use client::{
    gate::NewGate,
    prompts::{NewPrompt, PromptQuery, PromptUpdate},
};
use domain::{PromptName, TeamId, TestSetId};

use crate::{
    arguments::Most,
    failure::{Failure, Result},
    session::Session,
    values::text,
};

const EXAMPLES: &str = "\
Examples:
  cuecard prompts list --search support
  cuecard prompts show support/ticket-classifier
  cuecard prompts create support/greeting --description \"Says hello\" --tag tone
  cuecard prompts update support/greeting --gate '{\"mode\": \"required\", \"min_cases\": 100}'";

/// Prompts: what there is, and what each is held to
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Prompts {
    /// List prompts
    List(List),
    /// Show a prompt, and what is live where
    Show(One),
    /// Make a prompt
    Create(Create),
    /// Change a prompt
    Update(Update),
    /// Take a prompt out of service; everything is kept
    Archive(One),
    /// Bring an archived prompt back
    Restore(One),
}

#[derive(Args)]
pub struct List {
    /// With this text in name or description
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// With this tag
    #[arg(long)]
    tag: Option<String>,
    /// Archived ones
    #[arg(long)]
    archived: bool,
    #[command(flatten)]
    most: Most,
}

#[derive(Args)]
pub struct One {
    /// The prompt: its id, its name, or team/name
    prompt: String,
}

#[derive(Args)]
pub struct Create {
    /// Its name, or team/name
    name: String,
    #[command(flatten)]
    about: About,
}

#[derive(Args)]
pub struct Update {
    /// The prompt: its id, its name, or team/name
    prompt: String,
    /// Its new name; the former one stays an alias
    #[arg(long, value_name = "NAME")]
    rename: Option<PromptName>,
    #[command(flatten)]
    about: About,
}

/// What a prompt is told beside its name.
#[derive(Args)]
struct About {
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A word to find it by; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// What new versions are evaluated on
    #[arg(long, value_name = "TEST_SET")]
    test_set: Option<TestSetId>,
    /// What production asks of a version, as JSON; @FILE reads it
    #[arg(long, value_name = "JSON")]
    gate: Option<String>,
}

impl About {
    fn gate(&self) -> Result<Option<NewGate>> {
        let Some(given) = &self.gate else { return Ok(None) };
        let read = serde_json::from_str(&text(given)?);
        read.map(Some).map_err(|error| Failure::Usage(format!("--gate does not read: {error}")))
    }
}

impl Prompts {
    pub async fn run(self, session: &Session) -> Result {
        match self {
            Self::List(list) => list.run(session).await,
            Self::Show(One { prompt }) => session.output.show(&session.prompt(&prompt).await?),
            Self::Create(create) => create.run(session).await,
            Self::Update(update) => update.run(session).await,
            Self::Archive(One { prompt }) => {
                let prompt = session.prompt(&prompt).await?;
                let deed = format!("archive {}, so that it resolves nowhere any more", prompt.address());
                let live = prompt.production_version_id.map_or("", |_| domain::PRODUCTION);
                if !session.may_in(live, &deed)? {
                    return Ok(());
                }
                session.output.show(&session.client.archive_prompt(&prompt.prompt_id.to_string()).await?)
            }
            Self::Restore(One { prompt }) => {
                let address = session.address(&prompt);
                if !session.may(&format!("restore {address}"))? {
                    return Ok(());
                }
                session.output.show(&session.client.restore_prompt(&address).await?)
            }
        }
    }
}

impl List {
    async fn run(self, session: &Session) -> Result {
        let team = session.team.as_deref().map(str::parse::<TeamId>).transpose().map_err(Failure::Usage)?;
        let status = Some(if self.archived { "archived" } else { "active" });
        let query = PromptQuery { team_id: team, tag: self.tag, q: self.search, status };
        session.output.show(&session.client.prompts(&query, self.most.count()).await?)
    }
}

impl Create {
    async fn run(self, session: &Session) -> Result {
        let gate = self.about.gate()?;
        let (team_id, name) = match self.name.split_once('/') {
            Some((team, name)) => (team.to_owned(), name),
            None => (session.team_of(None)?, self.name.as_str()),
        };
        let new = NewPrompt {
            name: name.parse().map_err(Failure::Usage)?,
            team_id: team_id.parse().map_err(Failure::Usage)?,
            description: self.about.description,
            tags: self.about.tags,
            test_set_id: self.about.test_set,
            gate,
        };
        if !session.may(&format!("make the prompt {}/{}", new.team_id, new.name))? {
            return Ok(());
        }
        session.output.show(&session.client.create_prompt(&new).await?)
    }
}

impl Update {
    async fn run(self, session: &Session) -> Result {
        let gate = self.about.gate()?;
        let update = PromptUpdate {
            name: self.rename,
            description: self.about.description.map(Some),
            tags: Some(self.about.tags).filter(|tags| !tags.is_empty()),
            test_set_id: self.about.test_set.map(Some),
            gate: gate.map(Some),
        };
        let address = session.address(&self.prompt);
        if update == PromptUpdate::default() {
            return Err(Failure::Usage("What shall change? Say --description, --tag, --gate, …".to_owned()));
        }
        if !session.may(&format!("change {address}"))? {
            return Ok(());
        }
        session.output.show(&session.client.update_prompt(&address, &update).await?)
    }
}
