//! Trying a version or a draft on a model.

use std::path::PathBuf;

use clap::Args;
use client::trials::NewTrial;
use domain::TestSetId;
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    files,
    session::Session,
    values::{Variables, text},
    which::Which,
};

const EXAMPLES: &str = "\
Examples:
  cuecard try support/ticket-classifier --var 'message=I was charged twice.'
  cuecard try support/ticket-classifier staging --model mock/echo --var 'message=I was charged twice.'
  cuecard try --draft greeting.prompt.md --var name=Ada
  cuecard try support/ticket-classifier --var 'message=I was charged twice.' --save tst_… --expected billing";

/// Call a model with a version or a draft
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Try {
    /// The prompt: its id, its name, or team/name
    #[arg(required_unless_present = "draft")]
    prompt: Option<String>,
    /// The version: its number or id, `newest`, or an environment where it is live
    #[arg(default_value = "newest")]
    version: Which,
    /// A file that is not saved as a version yet, instead
    #[arg(long, value_name = "FILE", conflicts_with = "prompt")]
    draft: Option<PathBuf>,
    /// Another model than its own
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    #[command(flatten)]
    variables: Variables,
    /// Keep these values as a case of a test set
    #[arg(long, value_name = "TEST_SET")]
    save: Option<TestSetId>,
    /// What the case expects; @FILE reads it
    #[arg(long, value_name = "TEXT", requires = "save", allow_hyphen_values = true)]
    expected: Option<String>,
}

impl Try {
    pub async fn run(self, session: &Session) -> Result {
        let variables = self.variables.values()?;
        let mut trial = NewTrial { version_id: None, draft: None, variables, model_id: self.model };
        match (&self.draft, &self.prompt) {
            (Some(path), _) => trial.draft = Some(files::new_version(path)?),
            (None, Some(prompt)) => {
                let prompt = session.prompt(prompt).await?;
                trial.version_id = Some(session.version_id(&prompt, &self.version).await?);
            }
            (None, None) => return Err(Failure::Usage("What? Name a prompt, or say --draft".to_owned())),
        }
        if !session.may("call the model once")? {
            return Ok(());
        }
        session.output.show(&session.client.try_out(&trial).await?)?;
        let Some(set) = self.save else { return Ok(()) };
        let expected = self.expected.as_deref().map(text).transpose()?;
        let mut case = json!({ "vars": trial.variables });
        if let Some(expected) = expected {
            case["expected"] = Value::String(expected);
        }
        let saved = session.client.add_case(set, &case.to_string()).await?;
        session.output.note(&format!("Kept as a case of {set}, version {}.", saved.version));
        Ok(())
    }
}
