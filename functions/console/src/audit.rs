//! The audit: who changed what, when and why.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse as _,
};
use domain::{
    Error, ErrorKind, Result, TeamId, Timestamp,
    audit::{AuditEntry, export::rest},
};
use registry::audit::{AuditFilter, ExportWish};
use serde::Serialize;
use web::Fields;

use crate::{App, failure::Answer, form::FormState, pages::Page, visit::Visit};

/// How many entries a page shows.
const SHOWN: u32 = 50;

#[derive(Serialize)]
struct Context {
    entries: Vec<AuditEntry>,
    teams: Vec<String>,
    next: Option<String>,
    form: FormState,
    /// The query without the place in the list.
    query: String,
}

/// A day stands for its first moment.
fn moment(fields: &Fields, name: &str) -> Result<Option<Timestamp>> {
    let Some(text) = fields.given(name) else { return Ok(None) };
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole
        .parse()
        .map(Some)
        .map_err(|_| Error::invalid(format!("/{name}"), "A day such as 2026-11-20, or a moment in RFC 3339."))
}

fn filter_of(fields: &Fields) -> Result<AuditFilter> {
    let given = |name| fields.given(name).map(str::to_owned);
    let team: Option<TeamId> = fields.optional("team")?;
    Ok(AuditFilter {
        prompt: given("prompt"),
        team,
        actor: given("actor"),
        from: moment(fields, "from")?,
        to: moment(fields, "to")?,
    })
}

/// The query again, for the page after this one.
fn without_place(query: &Fields) -> String {
    let pairs = query.iter().filter(|(name, _)| *name != "cursor");
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    let found = async {
        let filter = filter_of(&visit.query)?;
        app.registry().audit(&visit.caller, &filter, &visit.page(SHOWN)).await
    };
    answer(&app, &visit, found.await).await
}

/// The page with the entries that were found, or with why there are none.
async fn answer(app: &App, visit: &Visit, found: Result<store::Page<AuditEntry>>) -> Answer {
    let (status, form, page) = match found {
        Ok(page) => (StatusCode::OK, FormState::of(&visit.query), Some(page)),
        Err(error) => {
            let (status, form) = FormState::refused(&visit.query, error)?;
            (status, form, None)
        }
    };
    let teams = app.registry().teams(&visit.caller).await?;
    let (entries, next) = page.map_or_else(|| (Vec::new(), None), |page| (page.data, page.next_cursor));
    let context = Context {
        entries,
        next,
        teams: teams.into_iter().map(|(team, _)| team.to_string()).collect(),
        form,
        query: without_place(&visit.query),
    };
    app.show_as(status, visit, &Page { title: "Audit", part: "audit", template: "audit.html" }, &context)
        .await
}

/// Whole chains as JSON lines, to be kept and verified elsewhere.
pub(crate) async fn export(State(app): State<App>, visit: Visit) -> Answer {
    let lines = match exported(&app, &visit).await {
        Ok(lines) => lines,
        Err(error) => return answer(&app, &visit, Err(error)).await,
    };
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""),
    ];
    Ok((headers, lines).into_response())
}

/// One file is all of it or nothing: a part would be taken for the whole.
async fn exported(app: &App, visit: &Visit) -> Result<String> {
    let team: Option<TeamId> = visit.query.optional("team")?;
    let wish =
        ExportWish { prompt: visit.query.given("prompt"), team: team.as_ref(), ..ExportWish::default() };
    let lines = app.registry().export_audit(&visit.caller, &wish).await?;
    if rest(&lines).is_none() {
        return Ok(lines);
    }
    let detail = "The export of this prompt is larger than one answer can be. `cuecard audit export <prompt>` \
        brings all of it.";
    Err(Error::new(ErrorKind::TooLarge, detail))
}
