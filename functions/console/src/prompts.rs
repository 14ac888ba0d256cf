//! All prompts: searched by text, team, tag and status.

use axum::extract::State;
use domain::TeamId;
use registry::prompt::{PromptDetails, PromptFilter};
use serde::Serialize;
use store::PageRequest;
use web::Fields;

use crate::{
    App,
    failure::{Answer, Failure},
    live::Row,
    pages::Page,
    visit::Visit,
};

/// How many prompts a page shows at least.
const SHOWN: u32 = 20;
/// How many are read at once, once it is known that few fit.
const SEARCHED: u32 = 100;

#[derive(Serialize)]
struct Context {
    prompts: Vec<Row>,
    teams: Vec<String>,
    query: Query,
    /// The rest of the address of the next page.
    next: Option<String>,
    searched: bool,
}

/// What was asked for.
#[derive(Serialize)]
struct Query {
    q: String,
    team: String,
    tag: String,
    status: String,
}

impl Query {
    fn of(fields: &Fields) -> Self {
        let text = |name| fields.text(name).trim().to_owned();
        Self { q: text("q"), team: text("team"), tag: text("tag"), status: text("status") }
    }

    fn filter(&self) -> PromptFilter {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let archived = match self.status.as_str() {
            "archived" => Some(true),
            "all" => None,
            _ => Some(false),
        };
        let team_id = self.team.parse::<TeamId>().ok();
        PromptFilter { team_id, tag: given(&self.tag), q: given(&self.q), archived }
    }

    fn is_narrow(&self) -> bool {
        [&self.q, &self.team, &self.tag, &self.status].iter().any(|text| !text.is_empty())
    }
}

/// Pages are read until there are enough that fit.
async fn found(
    app: &App,
    visit: &Visit,
    filter: &PromptFilter,
) -> Result<(Vec<PromptDetails>, Option<String>), Failure> {
    let mut found = Vec::new();
    let mut request: PageRequest = visit.page(SHOWN);
    loop {
        let page = app.registry().prompts(&visit.caller, filter, &request).await?;
        found.extend(page.data);
        request.cursor = page.next_cursor;
        if request.cursor.is_none() || found.len() >= SHOWN as usize {
            return Ok((found, request.cursor));
        }
        request.limit = SEARCHED;
    }
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    let query = Query::of(&visit.query);
    let (prompts, next) = found(&app, &visit, &query.filter()).await?;
    let (last_used, teams) =
        tokio::try_join!(app.registry().last_used(&prompts), app.registry().teams(&visit.caller))?;
    let now = app.registry().sources.now();
    let rows = prompts.iter().zip(last_used);
    let context = Context {
        prompts: rows.map(|(details, used)| Row::new(details, used, now)).collect(),
        teams: teams.into_iter().map(|(team, _)| team.to_string()).collect(),
        searched: query.is_narrow(),
        query,
        next,
    };
    app.show(&visit, &Page { title: "Prompts", part: "prompts", template: "prompts.html" }, &context).await
}
