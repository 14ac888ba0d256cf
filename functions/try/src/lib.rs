//! `try`: calls a model on request. It runs outside the private network, since providers are on the internet.

mod console;

use axum::{
    Json, Router,
    extract::{FromRef, State},
    routing::post,
};
use domain::{
    Error, VersionId,
    content::{ChatMessage, Literal},
    money::Usd,
    template::Values,
};
use registry::{
    Registry,
    trial::{Subject, Trial},
};
use serde::{Deserialize, Serialize};
use utoipa::{ToSchema, openapi::OpenApi};
use utoipa_axum::{router::OpenApiRouter, routes};
use web::{Doors, JsonBody, NewVersionBody, Resolver};

/// What the handlers need.
#[derive(Clone)]
pub struct App {
    /// Who is calling.
    pub doors: Doors,
    /// The use cases.
    pub registry: Registry,
}

impl FromRef<App> for Doors {
    fn from_ref(app: &App) -> Self {
        app.doors.clone()
    }
}

/// What to try: a version, or a draft that nobody has saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryBody {
    #[schema(value_type = Option<String>)]
    version_id: Option<VersionId>,
    draft: Option<NewVersionBody>,
    #[schema(schema_with = web::schema::optional_object)]
    variables: Option<Literal>,
    /// Left out: the version's own.
    model_id: Option<String>,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrialView {
    output: String,
    /// What the model was sent.
    #[schema(value_type = Vec<Object>)]
    messages: Vec<ChatMessage>,
    model_id: String,
    latency_ms: u64,
    input_tokens: u64,
    output_tokens: u64,
    #[schema(value_type = f64)]
    cost_usd: Usd,
    ignored_variables: Vec<String>,
}

impl TrialView {
    fn new(trial: Trial) -> Self {
        Self {
            output: trial.output,
            messages: trial.rendered.messages,
            model_id: trial.model_id,
            latency_ms: trial.latency_ms,
            input_tokens: trial.input_tokens,
            output_tokens: trial.output_tokens,
            cost_usd: trial.cost_usd,
            ignored_variables: trial.rendered.ignored_variables,
        }
    }
}

/// Renders a version or a draft and calls its model.
#[utoipa::path(post, path = "/api/try", tag = "versions", request_body = TryBody,
    responses((status = 200, body = TrialView, description = "What the model answered"),
        (status = 502, description = "The model's provider failed")))]
pub async fn try_out(
    State(app): State<App>,
    Resolver(caller): Resolver,
    JsonBody(body): JsonBody<TryBody>,
) -> web::Result<Json<TrialView>> {
    let subject = match (body.version_id, body.draft) {
        (Some(version), None) => Subject::Version(version),
        (None, Some(draft)) => {
            let draft = draft.new_version().map_err(|error| error.within("/draft"))?;
            Subject::Draft(Box::new(draft))
        }
        _ => return Err(Error::invalid("/version_id", "Send either `version_id` or `draft`.").into()),
    };
    // It writes nothing, but costs money each time.
    app.doors.count_write(&caller).await?;
    let values = body.variables.map(|json| Values::parse(json.as_str())).transpose()?.unwrap_or_default();
    let trial = app.registry.try_out(&caller, &subject, &values, body.model_id.as_deref()).await?;
    Ok(Json(TrialView::new(trial)))
}

fn build() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(try_out))
}

/// The routes, to be mounted beside those of other functions.
pub fn routes(app: App) -> Router {
    let console = Router::new().route("/console/try", post(console::try_draft));
    Router::from(build().with_state(app.clone())).merge(console.with_state(app))
}

/// The whole function.
pub fn router(app: App) -> Router {
    let doors = app.doors.clone();
    web::finish(routes(app), &doors)
}

/// The operations of this function.
pub fn openapi() -> OpenApi {
    build().into_openapi()
}
