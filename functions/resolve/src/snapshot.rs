//! What a team's prompts are in an environment, for resolvers that run in the caller's own process: refs with what
//! splits their traffic, and the versions that they name.
//!
//! It is a list of pages, each with an `ETag` over its bytes, so that who polls is sent only what changed.

mod view;

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue},
    response::{IntoResponse as _, Response},
};
use cache::{Answer, Pair};
use domain::{Caller, Environment, Error, PromptId, PromptName, Result, TeamId};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use store::PageRequest;
use utoipa::IntoParams;
use web::{Query, Resolver, Tagged, etag_of, page_request};

use self::view::SnapshotView;
use crate::{
    App,
    answer::{AGE, MAX_ANSWER_BYTES},
};

/// How many refs are read at once where memory does not have them.
const READS: usize = 16;

/// Which part of a snapshot is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SnapshotQuery {
    /// Whose prompts; left out, those of the key's team.
    #[param(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// The environment.
    #[serde(default = "domain::name::production")]
    #[param(value_type = Option<String>, default = "production")]
    env: Environment,
    /// How many names, 1 to 100. There may be fewer on a page: it has 4 MiB at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// From the former page.
    cursor: Option<String>,
}

/// Reads what a team's prompts are in an environment, for a resolver in the caller's own process.
#[utoipa::path(get, path = "/api/resolve:snapshot", tag = "resolve", params(SnapshotQuery),
    responses((status = 200, body = SnapshotView, description = "A page of the team's prompts"),
        (status = 304, description = "Unchanged")))]
pub async fn snapshot(
    State(app): State<App>,
    Resolver(caller): Resolver,
    headers: HeaderMap,
    Query(query): Query<SnapshotQuery>,
) -> web::Result<Response> {
    let SnapshotQuery { team_id, env, limit, cursor } = query;
    let team = team(&caller, team_id)?;
    let mut request = page_request(limit, cursor)?;
    let page = loop {
        let page = app.page(&caller, &team, &env, &request).await?;
        if page.body.len() <= MAX_ANSWER_BYTES {
            break page;
        }
        if request.limit == 1 {
            return Err(too_large(page.body.len()).into());
        }
        request.limit /= 2;
    };
    let mut response = Tagged::with_tag(&headers, &etag_of(&page.body), page.body).into_response();
    let age = u64::try_from(page.age.as_millis()).unwrap_or(u64::MAX);
    response.headers_mut().insert(AGE, HeaderValue::from(age));
    Ok(response)
}

/// A page as it is sent, and how old the oldest of its refs is.
struct Page {
    body: Vec<u8>,
    age: Duration,
}

impl App {
    async fn page(
        &self,
        caller: &Caller,
        team: &TeamId,
        environment: &Environment,
        request: &PageRequest,
    ) -> Result<Page> {
        let found =
            if caller.sees(team) { Some(self.store.prompt_names(team, request).await?) } else { None };
        let (names, next_cursor) = found.map(|page| (page.data, page.next_cursor)).unwrap_or_default();
        let read = |(name, prompt_id): (PromptName, PromptId)| async move {
            Ok((name, prompt_id, self.cache.pair(prompt_id, environment).await?))
        };
        let entries: Vec<(PromptName, PromptId, Answer<Pair>)> =
            stream::iter(names).map(read).buffered(READS).try_collect().await?;
        let age = entries.iter().map(|(.., found)| found.age).max().unwrap_or_default();
        let view = SnapshotView::new(team, environment, &entries, next_cursor);
        Ok(Page { body: serde_json::to_vec(&view).map_err(Error::internal)?, age })
    }
}

/// The one team whose prompts are meant: names are unique in a team alone.
fn team(caller: &Caller, asked: Option<TeamId>) -> Result<TeamId> {
    asked.or_else(|| caller.scope.team().cloned()).ok_or_else(|| {
        Error::invalid("/team_id", "This key is for all teams. Say whose prompts are wanted: `team_id`.")
    })
}

fn too_large(bytes: usize) -> Error {
    let detail = format!(
        "One prompt with the versions of its trial would have {bytes} bytes; at most {MAX_ANSWER_BYTES} can be sent. \
         Resolve it by itself."
    );
    Error::invalid("/limit", detail)
}
