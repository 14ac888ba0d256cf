//! API keys: whose they are, what they may do, and their end.

use std::time::Duration;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{ApiKey, Error, KeyRole, Result, TeamScope, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use registry::key::{FreshKey, NewKey};
use serde::Serialize;
use web::Fields;

use crate::{
    App,
    failure::Answer,
    form::FormState,
    pages::Page,
    visit::{Sent, Visit},
};

/// How many keys a page shows.
const SHOWN: u32 = 100;

#[derive(Serialize)]
struct Context {
    keys: Vec<Row>,
    teams: Vec<String>,
    team: String,
    next: Option<String>,
    /// The secret of a key that was just made, this once.
    fresh: Option<Fresh>,
    form: FormState,
    /// What replaces or revokes a key, and which one.
    change: FormState,
    changed: String,
}

/// What the forms of the page came to.
#[derive(Default)]
struct Came {
    fresh: Option<FreshKey>,
    /// The form of a new key, where that was refused.
    form: FormState,
    /// What was to be done with a key that is there, where that was refused.
    change: FormState,
    /// That key.
    changed: String,
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    team: String,
    role: &'static str,
    email: Option<String>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    rotated: bool,
    live: bool,
    last_used: Option<Timestamp>,
    own: bool,
}

#[derive(Serialize)]
struct Fresh {
    name: String,
    secret: String,
}

impl Row {
    fn new((key, last_used): (ApiKey, Option<Timestamp>), visit: &Visit, now: Timestamp) -> Self {
        Self {
            live: key.is_live(now),
            own: key.key_id() == visit.caller.actor.id,
            team: key.team_id.as_str().to_owned(),
            role: key.role.name(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            rotated: key.rotated_to.is_some(),
            id: key.id,
            name: key.name,
            email: key.email,
            last_used,
        }
    }
}

async fn page(app: &App, visit: &Visit, status: StatusCode, came: Came) -> Answer {
    let registry = app.registry();
    let Came { fresh, form, change, changed } = came;
    let team = match &fresh {
        Some(fresh) => fresh.key.team_id.clone(),
        None => visit.query.optional("team")?.unwrap_or(TeamScope::All),
    };
    let found = registry.keys(&visit.caller, &team, &visit.page(SHOWN)).await?;
    let teams = registry.teams(&visit.caller).await?;
    let now = registry.sources.now();
    let context = Context {
        keys: found.data.into_iter().map(|found| Row::new(found, visit, now)).collect(),
        next: found.next_cursor,
        teams: teams.into_iter().map(|(team, _)| team.to_string()).collect(),
        team: team.as_str().to_owned(),
        fresh: fresh.map(|fresh| Fresh { name: fresh.key.name, secret: fresh.secret }),
        form,
        change,
        changed,
    };
    app.show_as(status, visit, &Page { title: "Keys", part: "keys", template: "keys.html" }, &context).await
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    page(&app, &visit, StatusCode::OK, Came::default()).await
}

pub(crate) async fn create(State(app): State<App>, sent: Sent) -> Answer {
    let made = async {
        let new = wanted(&sent.fields, app.registry().sources.now())?;
        app.registry().create_key(&sent.act, &new).await
    };
    match made.await {
        Ok(fresh) => made_known(&app, &sent, fresh).await,
        Err(error) => {
            let (status, form) = FormState::refused(&sent.fields, error)?;
            page(&app, &sent.visit, status, Came { form, ..Came::default() }).await
        }
    }
}

/// Shows the secret of a new key, once.
async fn made_known(app: &App, sent: &Sent, fresh: FreshKey) -> Answer {
    page(app, &sent.visit, StatusCode::OK, Came { fresh: Some(fresh), ..Came::default() }).await
}

fn wanted(fields: &Fields, now: Timestamp) -> Result<NewKey> {
    let role = match fields.text("role") {
        "resolver" => KeyRole::Resolver,
        "author" => KeyRole::Author,
        "releaser" => KeyRole::Releaser,
        "admin" => KeyRole::Admin,
        _ => {
            return Err(Error::invalid("/role", "A key is a resolver's, author's, releaser's or admin's."));
        }
    };
    let days: Option<u64> = fields.optional("expires_days")?;
    if days.is_some_and(|days| !(1..=3660).contains(&days)) {
        return Err(Error::invalid("/expires_days", "A key lasts 1 to 3,660 days, or has no end."));
    }
    Ok(NewKey {
        team_id: fields.value("team_id")?,
        role,
        name: fields.text("name").trim().to_owned(),
        email: fields.given("email").map(str::to_owned),
        expires_at: days.map(|days| now.plus(Duration::from_hours(24 * days))),
    })
}

pub(crate) async fn rotate(State(app): State<App>, sent: Sent) -> Answer {
    let key: String = sent.visit.path("key")?;
    match app.registry().rotate_key(&sent.act, &key).await {
        Ok(fresh) => made_known(&app, &sent, fresh).await,
        Err(error) => unchanged(&app, &sent, key, error).await,
    }
}

/// Says why a key stays as it is.
async fn unchanged(app: &App, sent: &Sent, changed: String, error: Error) -> Answer {
    let (status, change) = FormState::refused(&sent.fields, error)?;
    page(app, &sent.visit, status, Came { change, changed, ..Came::default() }).await
}

pub(crate) async fn revoke(State(app): State<App>, sent: Sent) -> Answer {
    let key: String = sent.visit.path("key")?;
    match app.registry().revoke_key(&sent.act, &key).await {
        Ok(key) => {
            let team = utf8_percent_encode(key.team_id.as_str(), NON_ALPHANUMERIC);
            Ok(Redirect::to(&format!("/console/keys?team={team}")).into_response())
        }
        Err(error) => unchanged(&app, &sent, key, error).await,
    }
}
