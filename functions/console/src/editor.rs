//! The editor: a version in the making, rendered with sample values as it is typed.

mod preview;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{
    ErrorKind, Prompt, PromptId, Result, Version, VersionId, VersionPointer,
    content::{Body, Content, MessageTemplate},
    name::production,
};
use serde::Serialize;
use store::PageRequest;
use web::{Fields, version_of};

use self::preview::Preview;
use crate::{
    App,
    failure::Answer,
    form::FormState,
    pages::Page,
    shown::invisible_in,
    visit::{Sent, Visit},
};

/// How many empty rows a fresh form has, so that it can be filled in without scripts.
const SPARE_ROWS: usize = 1;

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    form: FormState,
    of_messages: bool,
    examples: Vec<(String, String)>,
    messages: Vec<(String, String)>,
    models: Vec<String>,
    /// Versions that a draft may be tried beside.
    versions: Vec<VersionPointer>,
    newest: Option<VersionPointer>,
    /// What it is written on, where that is not the newest version any more.
    outdated: Option<VersionPointer>,
    preview: Preview,
    /// Characters of the templates that cannot be seen.
    invisible: Vec<String>,
}

#[derive(Serialize)]
struct PreviewContext {
    preview: Preview,
    invisible: Vec<String>,
}

/// A version's content as the form has it.
fn fields_of(content: &Content) -> Result<Fields> {
    let json = |map: &serde_json::Map<String, serde_json::Value>| {
        if map.is_empty() { Ok(String::new()) } else { serde_json::to_string_pretty(map) }
    };
    let mut pairs = Vec::new();
    match &content.body {
        Body::Text { template_text, system_prompt, few_shot_examples } => {
            pairs.push(("kind", "text".to_owned()));
            pairs.push(("template_text", template_text.clone()));
            pairs.push(("system_prompt", system_prompt.clone().unwrap_or_default()));
            for example in few_shot_examples {
                pairs.push(("example_input", example.input.clone()));
                pairs.push(("example_output", example.output.clone()));
            }
        }
        Body::Messages(messages) => {
            pairs.push(("kind", "messages".to_owned()));
            for message in messages {
                let (role, text) = match message {
                    MessageTemplate::Message(message) => (message.role.as_str(), &message.content),
                    MessageTemplate::Placeholder(placeholder) => ("placeholder", &placeholder.name),
                };
                pairs.push(("message_role", role.to_owned()));
                pairs.push(("message_content", text.clone()));
            }
        }
    }
    let format = serde_json::to_value(content.template_format).map_err(domain::Error::internal)?;
    pairs.push(("template_format", format.as_str().unwrap_or_default().to_owned()));
    pairs.push(("model_id", content.model_id.clone()));
    pairs.push(("temperature", content.temperature.to_string()));
    pairs.push(("max_tokens", content.max_tokens.to_string()));
    pairs.push(("params", json(&content.params).map_err(domain::Error::internal)?));
    pairs.push(("config", json(&content.config).map_err(domain::Error::internal)?));
    // Variables that are as the parser would derive them need not be declared.
    let plain =
        content.clone().with_variables(None).is_ok_and(|derived| derived.variables == content.variables);
    let declared = if plain {
        String::new()
    } else {
        serde_json::to_string_pretty(&content.variables).map_err(domain::Error::internal)?
    };
    pairs.push(("variables", declared));
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    Ok(Fields::read(form.finish().as_bytes()))
}

/// What the form of a first version begins with.
fn first_fields() -> Fields {
    let fields = Fields::default().with("kind", "text").with("template_format", "jinja");
    fields.with("temperature", "0.7").with("max_tokens", "1000")
}

fn pairs(fields: &Fields, left: &str, right: &str) -> Vec<(String, String)> {
    let rows = fields.all(left).zip(fields.all(right));
    let rows = rows.filter(|(left, right)| !right.is_empty() || (left != &"user" && !left.is_empty()));
    let mut rows: Vec<_> = rows.map(|(left, right)| (left.to_owned(), right.to_owned())).collect();
    rows.extend((0..SPARE_ROWS).map(|_| (String::new(), String::new())));
    rows
}

fn invisible(fields: &Fields) -> Vec<String> {
    let texts = ["template_text", "system_prompt", "example_input", "example_output", "message_content"];
    let mut found: Vec<_> = texts
        .into_iter()
        .flat_map(|name| fields.all(name).map(str::to_owned).collect::<Vec<_>>())
        .flat_map(|text| invisible_in(&text))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// What is live in production, for what callers rely on.
async fn live(app: &App, prompt: &Prompt) -> Result<Option<Version>> {
    let store = &app.registry().store;
    let reference = store.reference(prompt.prompt_id, &production()).await?;
    match reference.and_then(|reference| reference.version) {
        Some(live) => store.version(prompt.prompt_id, live.number).await,
        None => Ok(None),
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    prompt: Prompt,
    fields: &Fields,
    refused: Option<(StatusCode, FormState)>,
) -> Answer {
    let registry = app.registry();
    let request = PageRequest::first(20);
    let address = prompt.prompt_id.to_string();
    let (models, versions, live) = tokio::try_join!(
        registry.list_models(),
        registry.versions(&visit.caller, &address, &request),
        live(app, &prompt),
    )?;
    let (status, form) = refused.unwrap_or_else(|| (StatusCode::OK, FormState::of(fields)));
    let newest = prompt.newest_version;
    let based_on: Option<VersionId> = fields.optional("based_on").ok().flatten();
    let known = versions.data.iter().map(|details| details.version.pointer());
    let outdated = known.clone().find(|known| based_on == Some(known.id) && newest != Some(*known));
    let title = format!("Edit {}", prompt.name);
    let context = Context {
        of_messages: fields.text("kind") == "messages",
        examples: pairs(fields, "example_input", "example_output"),
        messages: pairs(fields, "message_role", "message_content"),
        models: models.into_iter().map(|model| model.entry.model_id).collect(),
        versions: known.collect(),
        preview: Preview::of(fields, live.as_ref()),
        invisible: invisible(fields),
        newest,
        outdated,
        prompt,
        form,
    };
    app.show_as(status, visit, &Page { title: &title, part: "prompts", template: "editor.html" }, &context)
        .await
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    let registry = app.registry();
    let address = visit.path::<PromptId>("prompt")?.to_string();
    let prompt = registry.prompt(&visit.caller, &address).await?;
    let from: Option<VersionId> = visit.query.optional("from")?;
    let newest = prompt.newest_version.map(|newest| newest.id);
    let mut fields = match from.or(newest) {
        Some(version) => {
            let details = registry.version_of(&prompt, "/from", version).await?;
            fields_of(&details.version.content)?
        }
        None => first_fields(),
    };
    if visit.query.text("kind") == "messages" && newest.is_none() {
        fields = fields.with("kind", "messages");
    }
    if let Some(newest) = newest {
        fields = fields.with("based_on", newest.to_string());
    }
    page(&app, &visit, prompt, &fields, None).await
}

/// The preview: the whole page, or the part that the script puts in place.
pub(crate) async fn preview(State(app): State<App>, sent: Sent) -> Answer {
    let address = sent.visit.path::<PromptId>("prompt")?.to_string();
    let prompt = app.registry().prompt(&sent.act.caller, &address).await?;
    if sent.visit.query.given("part").is_none() {
        return page(&app, &sent.visit, prompt, &sent.fields, None).await;
    }
    let live = live(&app, &prompt).await?;
    let context = PreviewContext {
        preview: Preview::of(&sent.fields, live.as_ref()),
        invisible: invisible(&sent.fields),
    };
    Ok(app.pages.part(&sent.visit, &app.registry().sources, "preview.html", &context)?)
}

pub(crate) async fn save(State(app): State<App>, sent: Sent) -> Answer {
    let registry = app.registry();
    let address = sent.visit.path::<PromptId>("prompt")?.to_string();
    // Who was told of a newer version may write on that one.
    let fields = match sent.fields.given("based_on_now") {
        Some(newest) => sent.fields.clone().with("based_on", newest),
        None => sent.fields.clone(),
    };
    let saved = async {
        let new = version_of(&fields)?;
        registry.create_version(&sent.act, &address, &new).await
    };
    match saved.await {
        Ok(made) => {
            let unchanged = if made.value.unchanged { "unchanged" } else { "saved" };
            let version = made.value.details.version.version_id;
            Ok(Redirect::to(&format!("/console/versions/{version}?{unchanged}=1")).into_response())
        }
        Err(error) if error.kind() == ErrorKind::NoSuchPrompt => Err(error.into()),
        Err(error) => {
            let prompt = registry.prompt(&sent.act.caller, &address).await?;
            let refused = FormState::refused(&fields, error)?;
            page(&app, &sent.visit, prompt, &fields, Some(refused)).await
        }
    }
}
