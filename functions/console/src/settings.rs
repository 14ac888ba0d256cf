//! What a prompt is called, what it is tested with, what its gate asks, and whether it is in use.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{
    Prompt, PromptId, Result, TestSetId,
    gate::{GateMode, GatePolicy},
};
use registry::prompt::PromptDetails;
use release::PromptUpdate;
use serde::Serialize;
use store::{PageRequest, TestSet};
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
    prompt: Prompt,
    gate: GatePolicy,
    inherited: bool,
    test_sets: Vec<(TestSetId, String)>,
    form: FormState,
    /// What archives or restores it.
    end: FormState,
}

/// The tags of a form: words between commas.
pub(crate) fn tags_of(fields: &Fields) -> Vec<String> {
    let tags = fields.text("tags").split(',').map(str::trim);
    tags.filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// The form as it is before anybody typed.
fn present(details: &PromptDetails) -> Fields {
    let PromptDetails { prompt, gate, .. } = details;
    let mode = match (prompt.gate.is_none(), gate.mode) {
        (true, _) => "inherited",
        (_, GateMode::Required) => "required",
        (_, GateMode::Advisory) => "advisory",
        (_, GateMode::Off) => "off",
    };
    Fields::default()
        .with("name", prompt.name.as_str())
        .with("description", prompt.description.clone().unwrap_or_default())
        .with("tags", prompt.tags.join(", "))
        .with("test_set_id", prompt.test_set_id.map(|set| set.to_string()).unwrap_or_default())
        .with("mode", mode)
        .with("min_pass_rate", gate.min_pass_rate.to_string())
        .with("min_cases", gate.min_cases.to_string())
        .with("confidence", gate.confidence.to_string())
        .with("min_score", gate.min_score.map(|score| score.to_string()).unwrap_or_default())
        .with("require_staging_first", if gate.require_staging_first { "yes" } else { "" })
        .with("require_approval", if gate.require_approval { "yes" } else { "" })
        .with(
            "max_cost_usd_per_case",
            gate.max_cost_usd_per_case.map(|cost| cost.to_string()).unwrap_or_default(),
        )
        .with(
            "max_p95_latency_ms",
            gate.max_p95_latency_ms.map(|longest| longest.to_string()).unwrap_or_default(),
        )
}

async fn page(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    form: Option<FormState>,
    end: FormState,
) -> Answer {
    let registry = app.registry();
    let address = visit.path::<PromptId>("prompt")?.to_string();
    let details = registry.prompt_details(registry.prompt(&visit.caller, &address).await?).await?;
    let team = &details.prompt.team_id;
    let sets = registry.test_sets(&visit.caller, team, &PageRequest::first(100)).await?;
    let named = |set: TestSet| (set.test_set_id, set.name);
    let context = Context {
        form: form.unwrap_or_else(|| FormState::of(&present(&details))),
        gate: details.gate,
        inherited: details.prompt.gate.is_none(),
        test_sets: sets.data.into_iter().map(named).collect(),
        prompt: details.prompt,
        end,
    };
    app.show_as(
        status,
        visit,
        &Page { title: "Settings", part: "prompts", template: "settings.html" },
        &context,
    )
    .await
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    page(&app, &visit, StatusCode::OK, None, FormState::default()).await
}

pub(crate) async fn save(State(app): State<App>, sent: Sent) -> Answer {
    let prompt: PromptId = sent.visit.path("prompt")?;
    let saved = async {
        let update = update_of(&sent.fields)?;
        app.release.update_prompt(&sent.act, &prompt.to_string(), &update).await
    };
    match saved.await {
        Ok(_) => Ok(Redirect::to(&format!("/console/prompts/{prompt}")).into_response()),
        Err(error) => {
            let (status, form) = FormState::refused(&sent.fields, error)?;
            page(&app, &sent.visit, status, Some(form), FormState::default()).await
        }
    }
}

fn update_of(fields: &Fields) -> Result<PromptUpdate> {
    Ok(PromptUpdate {
        name: Some(fields.value("name")?),
        description: Some(fields.given("description").map(str::to_owned)),
        tags: Some(tags_of(fields)),
        test_set_id: Some(fields.optional("test_set_id")?),
        gate: Some(gate_of(fields)?),
    })
}

/// The prompt's own gate; `None`: the team's.
fn gate_of(fields: &Fields) -> Result<Option<GatePolicy>> {
    let mode = match fields.text("mode") {
        "required" => GateMode::Required,
        "advisory" => GateMode::Advisory,
        "off" => GateMode::Off,
        _ => return Ok(None),
    };
    let default = GatePolicy::default();
    Ok(Some(GatePolicy {
        mode,
        min_pass_rate: fields.optional("min_pass_rate")?.unwrap_or(default.min_pass_rate),
        min_score: fields.optional("min_score")?,
        min_cases: fields.optional("min_cases")?.unwrap_or(default.min_cases),
        confidence: fields.optional("confidence")?.unwrap_or(default.confidence),
        require_staging_first: fields.given("require_staging_first").is_some(),
        require_approval: fields.given("require_approval").is_some(),
        max_cost_usd_per_case: fields.optional("max_cost_usd_per_case")?,
        max_p95_latency_ms: fields.optional("max_p95_latency_ms")?,
    }))
}

pub(crate) async fn archive(State(app): State<App>, sent: Sent) -> Answer {
    let prompt: PromptId = sent.visit.path("prompt")?;
    let archived = app.release.archive_prompt(&sent.act, &prompt.to_string()).await;
    ended(&app, &sent, prompt, archived.map(drop)).await
}

pub(crate) async fn restore(State(app): State<App>, sent: Sent) -> Answer {
    let prompt: PromptId = sent.visit.path("prompt")?;
    let restored = app.release.restore_prompt(&sent.act, &prompt.to_string()).await;
    ended(&app, &sent, prompt, restored.map(drop)).await
}

/// Shows the prompt, or why it stays as it is.
async fn ended(app: &App, sent: &Sent, prompt: PromptId, done: Result<()>) -> Answer {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/console/prompts/{prompt}")).into_response()),
        Err(error) => {
            let (status, end) = FormState::refused(&sent.fields, error)?;
            page(app, &sent.visit, status, None, end).await
        }
    }
}
