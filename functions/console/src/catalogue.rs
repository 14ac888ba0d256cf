//! The catalogue of models.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{
    Error, Result,
    model::{ModelEntry, Provider},
};
use registry::model::CatalogueModel;
use serde::Serialize;
use web::Fields;

use crate::{
    App,
    failure::Answer,
    form::FormState,
    pages::Page,
    visit::{Sent, Visit},
};

#[derive(Serialize)]
struct Context {
    models: Vec<Row>,
    form: FormState,
}

#[derive(Serialize)]
struct Row {
    entry: ModelEntry,
    builtin: bool,
}

async fn page(app: &App, visit: &Visit, (status, form): (StatusCode, FormState)) -> Answer {
    let models = app.registry().list_models().await?;
    let row = |CatalogueModel { entry, builtin }| Row { entry, builtin };
    let context = Context { models: models.into_iter().map(row).collect(), form };
    app.show_as(status, visit, &Page { title: "Models", part: "models", template: "models.html" }, &context)
        .await
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    let known = match visit.query.given("edit") {
        Some(model) => present(&app.registry().model(model).await?),
        None => Fields::default(),
    };
    page(&app, &visit, (StatusCode::OK, FormState::of(&known))).await
}

/// A model as the form has it.
fn present(model: &ModelEntry) -> Fields {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Fields::default()
        .with("model_id", &model.model_id)
        .with("provider", model.provider.to_string())
        .with("base_url", text(&model.base_url))
        .with("api_model", text(&model.api_model))
        .with("input_usd_per_mtok", model.input_usd_per_mtok.to_string())
        .with("output_usd_per_mtok", model.output_usd_per_mtok.to_string())
        .with("max_concurrency", number(model.max_concurrency))
        .with("requests_per_minute", number(model.requests_per_minute))
        .with("secret_name", text(&model.secret_name))
}

pub(crate) async fn set(State(app): State<App>, sent: Sent) -> Answer {
    let stored = async {
        let model = wanted(&sent.fields)?;
        app.registry().set_model(&sent.act, &model).await
    };
    match stored.await {
        Ok(_) => Ok(Redirect::to("/console/models").into_response()),
        Err(error) => page(&app, &sent.visit, FormState::refused(&sent.fields, error)?).await,
    }
}

fn wanted(fields: &Fields) -> Result<ModelEntry> {
    let provider = match fields.text("provider") {
        "openai" => Provider::Openai,
        "anthropic" => Provider::Anthropic,
        "bedrock" => Provider::Bedrock,
        _ => {
            return Err(Error::invalid(
                "/provider",
                "Models are OpenAI's or compatible, Anthropic's or Bedrock's.",
            ));
        }
    };
    let text = |name| fields.given(name).map(str::to_owned);
    Ok(ModelEntry {
        model_id: fields.value("model_id")?,
        provider,
        base_url: text("base_url"),
        api_model: text("api_model"),
        input_usd_per_mtok: fields.value("input_usd_per_mtok")?,
        output_usd_per_mtok: fields.value("output_usd_per_mtok")?,
        max_concurrency: fields.optional("max_concurrency")?,
        requests_per_minute: fields.optional("requests_per_minute")?,
        secret_name: text("secret_name"),
    })
}
