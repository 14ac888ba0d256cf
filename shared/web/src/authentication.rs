//! Who is calling.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use domain::{Actor, ApiKey, Caller, Error, ErrorKind, KeyRole, key::PresentedKey};
use tokio::time::timeout;

use crate::{
    Doors,
    problem::Problem,
    request_log::{CalledBy, trace_of},
};

/// How precise «last used» is.
const NOTE_EVERY: Duration = Duration::from_hours(1);

/// How long after a failure to note it the next try is.
const NOTE_AGAIN: Duration = Duration::from_mins(1);

/// How long a request waits for the note at most.
const NOTE_PATIENCE: Duration = Duration::from_millis(200);

/// The longest `X-Cuecard-User` that the audit keeps, in characters.
const MAX_USER_CHARS: usize = 200;

/// A caller of the management routes: an author at least. What needs more is refused by its use case.
pub struct Author(pub Caller);

/// A caller of the routes that applications use: any live key.
pub struct Resolver(pub Caller);

/// Somebody who shows a key that nobody has looked at yet. What they ask for can be looked for meanwhile.
pub struct Visitor {
    key: Option<String>,
    user: Option<String>,
    called_by: CalledBy,
}

impl Visitor {
    fn of(request: &Parts) -> Self {
        let user = request.headers.get("x-cuecard-user").and_then(|value| value.to_str().ok());
        Self {
            key: presented(&request.headers).map(str::to_owned),
            user: user.map(str::to_owned),
            called_by: CalledBy::of(&request.extensions),
        }
    }

    /// The public part of the key, which says nothing about whether it opens.
    pub fn key_id(&self) -> Option<&str> {
        self.key.as_deref().and_then(PresentedKey::parse).map(|key| key.id)
    }

    /// The caller whose key this is.
    pub async fn enter(&self, doors: &Doors) -> domain::Result<Caller> {
        let presented = self.key.as_deref().and_then(PresentedKey::parse);
        let caller = doors.caller_of(&presented.ok_or_else(unauthenticated)?, self.user.as_deref()).await?;
        self.called_by.note(&caller.actor.id);
        Ok(caller)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Author
where
    Doors: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Doors::from_ref(state).authenticate(parts).await?;
        caller.require(KeyRole::Author)?;
        Ok(Self(caller))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Resolver
where
    Doors: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(Doors::from_ref(state).authenticate(parts).await?))
    }
}

impl Doors {
    /// The caller whose key a request shows.
    pub(crate) async fn authenticate(&self, request: &Parts) -> domain::Result<Caller> {
        let caller = Visitor::of(request).enter(self).await?;
        Ok(Caller { trace_id: trace_of(&request.headers), ..caller })
    }

    /// The caller behind a key.
    pub async fn caller_of(
        &self,
        presented: &PresentedKey<'_>,
        user: Option<&str>,
    ) -> domain::Result<Caller> {
        let key = self.live_key(presented.id).await?.filter(|key| key.is_opened_by(presented.secret));
        self.enter_with(key, user).await
    }

    /// The caller whom a key stands for that was shown before.
    pub(crate) async fn caller_by_id(&self, id: &str) -> domain::Result<Caller> {
        self.enter_with(self.live_key(id).await?, None).await
    }

    async fn live_key(&self, id: &str) -> domain::Result<Option<Arc<ApiKey>>> {
        let key = self.0.cache.api_key(id).await?;
        let now = self.0.sources.now();
        Ok(key.filter(|key| key.is_live(now)))
    }

    async fn enter_with(&self, key: Option<Arc<ApiKey>>, user: Option<&str>) -> domain::Result<Caller> {
        let key = key.ok_or_else(unauthenticated)?;
        self.note_use(&key).await;
        let user = user.map(|user| user.chars().filter(|c| !c.is_control()).take(MAX_USER_CHARS).collect());
        let actor = Actor { id: key.key_id(), name: key.name.clone(), role: key.role, user };
        Ok(Caller { actor, scope: key.team_id.clone(), trace_id: None })
    }

    /// Notes about once an hour that a key is in use. It is a help for people and no reason to refuse anybody, or to
    /// keep everybody waiting: when it fails, a request tries again a minute later.
    async fn note_use(&self, key: &ApiKey) {
        let now = self.0.sources.now();
        let noted = self.0.noted.get(&key.id);
        if noted.is_some_and(|noted| now.since(noted).is_none_or(|age| age < NOTE_EVERY)) {
            return;
        }
        self.0.noted.insert(key.id.clone(), now);
        let noting = timeout(NOTE_PATIENCE, self.0.store.note_key_use(&key.id, now)).await;
        let failure = match noting {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.chain(),
            Err(late) => late.to_string(),
        };
        self.0.noted.insert(key.id.clone(), now.plus(NOTE_AGAIN).minus(NOTE_EVERY));
        tracing::warn!(key = %key.key_id(), error = failure, "the use of a key was not noted");
    }

    /// Counts a write of a key, and refuses it when there were too many in this minute.
    pub async fn count_write(&self, caller: &Caller) -> domain::Result<()> {
        let id = caller.actor.id.trim_start_matches("key_");
        let count = self.0.store.count_write(id, self.0.sources.now()).await?;
        if count <= self.0.writes_per_minute {
            return Ok(());
        }
        let detail = format!(
            "This key made more than {} writes in a minute. Wait a moment.",
            self.0.writes_per_minute
        );
        Err(Error::new(ErrorKind::TooManyRequests, detail))
    }
}

fn presented(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer.or_else(|| headers.get("x-api-key")?.to_str().ok())
}

/// The same words for a key that is missing, wrong, expired or revoked.
pub(crate) fn unauthenticated() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "Send a live API key: `Authorization: Bearer cue_<id>_<secret>` or `X-API-Key: cue_<id>_<secret>`.",
    )
}
