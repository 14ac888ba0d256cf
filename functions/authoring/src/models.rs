//! The model catalogue.

use axum::{Json, extract::State};
use domain::{
    model::{ModelEntry, Provider},
    money::Usd,
};
use registry::model::CatalogueModel;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Author, Path, Write};

use crate::App;

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelView {
    model_id: String,
    /// `openai`, `anthropic` or `bedrock`.
    #[schema(value_type = String)]
    provider: Provider,
    base_url: Option<String>,
    api_model: Option<String>,
    #[schema(value_type = f64)]
    input_usd_per_mtok: Usd,
    #[schema(value_type = f64)]
    output_usd_per_mtok: Usd,
    /// The most calls at once, of all workers together.
    max_concurrency: Option<u32>,
    /// The most calls in a minute, of all workers together.
    requests_per_minute: Option<u32>,
    /// The name of the secret that opens the provider; never the secret.
    secret_name: Option<String>,
    /// Whether it is a development model of this installation.
    builtin: bool,
}

/// All models.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelList {
    data: Vec<ModelView>,
    /// Always null: the catalogue is one page.
    next_cursor: Option<String>,
}

/// A model to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelBody {
    /// `openai`, or whoever speaks its API; `anthropic`; `bedrock`, by the role, on AWS alone.
    #[schema(value_type = String)]
    provider: Provider,
    base_url: Option<String>,
    /// What the provider calls it; left out: the `model_id`.
    api_model: Option<String>,
    #[schema(value_type = f64)]
    input_usd_per_mtok: Usd,
    #[schema(value_type = f64)]
    output_usd_per_mtok: Usd,
    /// The most calls at once, of all workers together; left out: no limit.
    #[schema(format = Int64)]
    max_concurrency: Option<u32>,
    /// The most calls in a minute, of all workers together; left out: no limit.
    #[schema(format = Int64)]
    requests_per_minute: Option<u32>,
    secret_name: Option<String>,
}

impl ModelView {
    fn new(model: CatalogueModel) -> Self {
        let CatalogueModel { entry, builtin } = model;
        Self {
            model_id: entry.model_id,
            provider: entry.provider,
            base_url: entry.base_url,
            api_model: entry.api_model,
            input_usd_per_mtok: entry.input_usd_per_mtok,
            output_usd_per_mtok: entry.output_usd_per_mtok,
            max_concurrency: entry.max_concurrency,
            requests_per_minute: entry.requests_per_minute,
            secret_name: entry.secret_name,
            builtin,
        }
    }
}

/// Lists all models.
#[utoipa::path(get, path = "/api/models", tag = "models",
    responses((status = 200, body = ModelList, description = "The catalogue")))]
pub async fn list(State(app): State<App>, Author(_): Author) -> web::Result<Json<ModelList>> {
    let models = app.registry().list_models().await?;
    Ok(Json(ModelList { data: models.into_iter().map(ModelView::new).collect(), next_cursor: None }))
}

/// Sets a model. Its id may hold slashes.
#[utoipa::path(put, path = "/api/models/{*model_id}", tag = "models", request_body = ModelBody,
    params(("model_id" = String, Path)),
    responses((status = 200, body = ModelView, description = "The model"), (status = 409, description = "It is built in")))]
pub async fn set(
    State(app): State<App>,
    Path(model_id, _): Path<String>,
    Write { act, body }: Write<ModelBody>,
) -> web::Result<Json<ModelView>> {
    let entry = ModelEntry {
        model_id,
        provider: body.provider,
        base_url: body.base_url,
        api_model: body.api_model,
        input_usd_per_mtok: body.input_usd_per_mtok,
        output_usd_per_mtok: body.output_usd_per_mtok,
        max_concurrency: body.max_concurrency,
        requests_per_minute: body.requests_per_minute,
        secret_name: body.secret_name,
    };
    Ok(Json(ModelView::new(app.registry().set_model(&act, &entry).await?)))
}
