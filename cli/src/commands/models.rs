//! The model catalogue.

use clap::{Args, Subcommand};
use client::models::NewModel;
use domain::money::Usd;

use crate::{failure::Result, session::Session};

const EXAMPLES: &str = "\
Examples:
  cuecard models list
  cuecard models set gpt-4o-mini --provider openai --input 0.15 --output-price 0.60 --secret OPENAI_API_KEY
  cuecard models matrix support/ticket-classifier";

/// The model catalogue, and how versions did on models
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Models {
    /// List all models
    List,
    /// Set a model, as an admin
    Set(Set),
    /// Show how a prompt's versions did on each model
    Matrix {
        /// The prompt: its id, its name, or team/name
        prompt: String,
    },
}

#[derive(Args)]
pub struct Set {
    /// How versions name it
    model: String,
    /// openai (or whoever speaks its API), anthropic or bedrock
    #[arg(long)]
    provider: String,
    /// What a million tokens sent cost, in USD
    #[arg(long, value_name = "USD")]
    input: Usd,
    /// What a million tokens received cost, in USD
    #[arg(long, value_name = "USD")]
    output_price: Usd,
    /// Where it is called
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// What the provider calls it
    #[arg(long, value_name = "NAME")]
    api_model: Option<String>,
    /// The name of the secret that opens the provider
    #[arg(long, value_name = "NAME")]
    secret: Option<String>,
    /// The most calls at once
    #[arg(long, value_name = "COUNT")]
    max_concurrency: Option<u32>,
    /// The most calls in a minute
    #[arg(long, value_name = "COUNT")]
    requests_per_minute: Option<u32>,
}

impl Models {
    pub async fn run(self, session: &Session) -> Result {
        let (client, output) = (&session.client, session.output);
        match self {
            Self::List => output.show(&client.models().await?),
            Self::Set(set) => set.run(session).await,
            Self::Matrix { prompt } => output.show(&client.matrix(&session.address(&prompt)).await?),
        }
    }
}

impl Set {
    async fn run(self, session: &Session) -> Result {
        if !session.may(&format!("set the model {}", self.model))? {
            return Ok(());
        }
        let model = NewModel {
            provider: self.provider,
            base_url: self.base_url,
            api_model: self.api_model,
            input_usd_per_mtok: self.input,
            output_usd_per_mtok: self.output_price,
            max_concurrency: self.max_concurrency,
            requests_per_minute: self.requests_per_minute,
            secret_name: self.secret,
        };
        session.output.show(&session.client.set_model(&self.model, &model).await?)
    }
}
