//! Test sets: labelled cases, in versions.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{Error, Result, TeamId, TestSetId, content::Literal, test_set::Format};
use serde::Serialize;
use serde_json::json;
use store::{PageRequest, TestSet, TestSetVersion};
use web::{Fields, samples_of, version_of};

use crate::{
    App,
    failure::Answer,
    form::FormState,
    pages::Page,
    visit::{Sent, Visit},
};

/// How many cases a page shows, and how much of each, in characters.
const SHOWN: usize = 20;
const CASE_CHARS: usize = 600;

#[derive(Serialize)]
struct ListContext {
    sets: Vec<SetRow>,
    teams: Vec<String>,
    form: FormState,
}

/// A test set, as far as a page shows it.
#[derive(Serialize)]
struct SetRow {
    test_set_id: String,
    name: String,
    team_id: String,
    newest_version: u32,
    created_at: String,
}

#[derive(Serialize)]
struct SetContext {
    set: SetRow,
    versions: Vec<VersionRow>,
    cases: Vec<String>,
    more_cases: usize,
    form: FormState,
    saved: bool,
}

#[derive(Serialize)]
struct VersionRow {
    version: u32,
    cases: u32,
    sha256: String,
    created_at: String,
}

impl SetRow {
    fn new(set: TestSet) -> Self {
        Self {
            test_set_id: set.test_set_id.to_string(),
            name: set.name,
            team_id: set.team_id.to_string(),
            newest_version: set.newest_version,
            created_at: set.created_at.to_string(),
        }
    }
}

impl VersionRow {
    fn new(version: TestSetVersion) -> Self {
        Self {
            version: version.version,
            cases: version.cases,
            sha256: version.sha256,
            created_at: version.created_at.to_string(),
        }
    }
}

async fn list_page(app: &App, visit: &Visit, (status, form): (StatusCode, FormState)) -> Answer {
    let registry = app.registry();
    let teams: Vec<TeamId> = registry.teams(&visit.caller).await?.into_iter().map(|(team, _)| team).collect();
    let sets = registry.test_sets_of(&visit.caller, &teams).await?.into_iter().map(SetRow::new).collect();
    let context = ListContext { sets, teams: teams.iter().map(ToString::to_string).collect(), form };
    app.show_as(
        status,
        visit,
        &Page { title: "Test sets", part: "test-sets", template: "test_sets.html" },
        &context,
    )
    .await
}

pub(crate) async fn list(State(app): State<App>, visit: Visit) -> Answer {
    list_page(&app, &visit, FormState::fresh()).await
}

pub(crate) async fn create(State(app): State<App>, sent: Sent) -> Answer {
    let made = async {
        let team: TeamId = sent.fields.value("team_id")?;
        app.registry().create_test_set(&sent.act, &team, sent.fields.text("name")).await
    };
    match made.await {
        Ok(made) => {
            Ok(Redirect::to(&format!("/console/test-sets/{}", made.value.test_set_id)).into_response())
        }
        Err(error) => list_page(&app, &sent.visit, FormState::refused(&sent.fields, error)?).await,
    }
}

async fn set_page(app: &App, visit: &Visit, (status, form): (StatusCode, FormState)) -> Answer {
    let registry = app.registry();
    let id: TestSetId = visit.path("set")?;
    let set = registry.test_set(&visit.caller, id).await?;
    let versions = registry.test_set_versions(&visit.caller, id, &PageRequest::first(20)).await?;
    let bytes =
        if set.newest_version > 0 { registry.cases(&visit.caller, id, None).await? } else { Vec::new() };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let cut = |line: &&str| line.chars().take(CASE_CHARS).collect::<String>();
    let title = set.name.clone();
    let context = SetContext {
        set: SetRow::new(set),
        versions: versions.data.into_iter().map(VersionRow::new).collect(),
        more_cases: lines.len().saturating_sub(SHOWN),
        cases: lines.iter().take(SHOWN).map(cut).collect(),
        saved: visit.query.given("saved").is_some(),
        form,
    };
    app.show_as(
        status,
        visit,
        &Page { title: &title, part: "test-sets", template: "test_set.html" },
        &context,
    )
    .await
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    set_page(&app, &visit, FormState::fresh()).await
}

/// Replaces the cases. All bad lines are named, and then nothing is stored.
pub(crate) async fn put_cases(State(app): State<App>, sent: Sent) -> Answer {
    let id: TestSetId = sent.visit.path("set")?;
    let put = async {
        let format = format_of(&sent.fields)?;
        let cases = sent.fields.text("cases").as_bytes().to_vec();
        app.registry().put_cases(&sent.act, id, format, cases).await
    };
    match put.await {
        Ok(_) => Ok(Redirect::to(&format!("/console/test-sets/{id}?saved=1")).into_response()),
        Err(error) => set_page(&app, &sent.visit, FormState::refused(&sent.fields, error)?).await,
    }
}

fn format_of(fields: &Fields) -> Result<Format> {
    match fields.text("format") {
        "jsonl" | "" => Ok(Format::Jsonl),
        "csv" => Ok(Format::Csv),
        "promptfoo" => Ok(Format::Promptfoo),
        _ => Err(Error::invalid("/format", "Cases are JSON lines, CSV or promptfoo's YAML.")),
    }
}

/// Adds one case, such as an input that somebody tried.
pub(crate) async fn add_case(State(app): State<App>, sent: Sent) -> Answer {
    let id: TestSetId = sent.visit.path("set")?;
    let added = async {
        let case = case_of(&sent.fields)?;
        app.registry().add_case(&sent.act, id, &case).await
    };
    match added.await {
        Ok(_) => Ok(Redirect::to(&format!("/console/test-sets/{id}?saved=1")).into_response()),
        Err(error) => set_page(&app, &sent.visit, FormState::refused(&sent.fields, error)?).await,
    }
}

/// A case as JSON; or, from the editor, of the values that its draft is tried with.
fn case_of(fields: &Fields) -> Result<Literal> {
    let json = match fields.given("kind") {
        None => fields.text("case").to_owned(),
        Some(_) => tried(fields)?,
    };
    serde_json::from_str(&json).map_err(|error| Error::invalid("/case", format!("This is no JSON: {error}.")))
}

fn tried(fields: &Fields) -> Result<String> {
    #[derive(Serialize)]
    struct Case<T> {
        vars: T,
        assert: [serde_json::Value; 1],
    }
    let wanted = fields.given("case_value").ok_or_else(|| {
        Error::invalid("/case", "Say what the answer has to be, or have: else the case could never fail.")
    })?;
    let draft = version_of(fields)?;
    let content = draft.content(draft.model_id.clone().unwrap_or_default())?;
    let vars = samples_of(fields, &content.variables)?;
    let assert = [json!({ "type": fields.text("case_check"), "value": wanted })];
    serde_json::to_string(&Case { vars, assert }).map_err(Error::internal)
}

pub(crate) async fn delete(State(app): State<App>, sent: Sent) -> Answer {
    let id: TestSetId = sent.visit.path("set")?;
    let found = app.registry().test_set(&sent.act.caller, id).await?;
    if sent.fields.text("confirm").trim() != found.name {
        let wrong = Error::invalid("/confirm", format!("Type the name of the test set, `{}`.", found.name));
        return set_page(&app, &sent.visit, FormState::refused(&sent.fields, wrong)?).await;
    }
    match app.registry().delete_test_set(&sent.act, id).await {
        Ok(_) => Ok(Redirect::to("/console/test-sets").into_response()),
        Err(error) => set_page(&app, &sent.visit, FormState::refused(&sent.fields, error)?).await,
    }
}
