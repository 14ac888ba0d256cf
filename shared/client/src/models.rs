//! The model catalogue.

use domain::money::Usd;
use serde::{Deserialize, Serialize};

use crate::{Client, Page, Result, call::segment};

/// A model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// How versions name it.
    pub model_id: String,
    /// `openai`, `anthropic` or `bedrock`.
    pub provider: String,
    /// Where it is called.
    pub base_url: Option<String>,
    /// What the provider calls it.
    pub api_model: Option<String>,
    /// What a million tokens sent cost.
    pub input_usd_per_mtok: Usd,
    /// What a million tokens received cost.
    pub output_usd_per_mtok: Usd,
    /// The most calls at once.
    pub max_concurrency: Option<u32>,
    /// The most calls in a minute.
    pub requests_per_minute: Option<u32>,
    /// The name of the secret that opens the provider.
    pub secret_name: Option<String>,
    /// Whether it is a development model of the installation.
    pub builtin: bool,
}

/// A model to be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewModel {
    /// `openai`, `anthropic` or `bedrock`.
    pub provider: String,
    /// Where it is called.
    pub base_url: Option<String>,
    /// What the provider calls it; none: the same.
    pub api_model: Option<String>,
    /// What a million tokens sent cost.
    pub input_usd_per_mtok: Usd,
    /// What a million tokens received cost.
    pub output_usd_per_mtok: Usd,
    /// The most calls at once.
    pub max_concurrency: Option<u32>,
    /// The most calls in a minute.
    pub requests_per_minute: Option<u32>,
    /// The name of the secret that opens the provider.
    pub secret_name: Option<String>,
}

impl Client {
    /// Lists all models.
    pub async fn models(&self) -> Result<Page<Model>> {
        self.get("/api/models").answer().await
    }

    /// Sets a model.
    pub async fn set_model(&self, model_id: &str, model: &NewModel) -> Result<Model> {
        let id: Vec<_> = model_id.split('/').map(segment).collect();
        self.put(&format!("/api/models/{}", id.join("/"))).json(model).answer().await
    }
}
