//! API keys: making, replacing, listing and revoking them.

mod installing;

use std::time::Duration;

use cache::ReadAt;
use domain::{
    ApiKey, Caller, Error, ErrorKind, KeyRole, Result, TeamScope, Timestamp,
    audit::{Action, Fact},
    key::PresentedKey,
};
use serde_json::json;
use store::{Change, Page, PageRequest};

use crate::{
    Act, Registry,
    settle::{Step, secret_not_repeated},
};

/// How long a replaced key stays good, so that its users can change over.
const GRACE: Duration = Duration::from_hours(24);

/// What a new key is given.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose things it sees.
    pub team_id: TeamScope,
    /// What it may do.
    pub role: KeyRole,
    /// The person or service that it belongs to.
    pub name: String,
    /// How to reach them.
    pub email: Option<String>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// A key just made, with its secret, this once.
#[derive(Debug, Clone)]
pub struct FreshKey {
    /// The key.
    pub key: ApiKey,
    /// `cue_<id>_<secret>`.
    pub secret: String,
}

impl Registry {
    /// Makes a key; only an admin may.
    pub async fn create_key(&self, act: &Act, new: &NewKey) -> Result<FreshKey> {
        act.caller.require(KeyRole::Admin)?;
        let now = self.sources.now();
        if new.name.trim().is_empty() || new.name.chars().count() > 200 {
            return Err(Error::invalid("/name", "A key's name says whose it is, in 1 to 200 characters."));
        }
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::invalid("/expires_at", "expires_at lies in the past."));
        }
        let attempt = || async {
            let (key, secret) = self.fresh_key(new, &act.caller);
            let mut fact = Fact::new(&act.caller.actor, Action::KeyCreated, key.key_id());
            fact.after = describe(&key);
            let mut change = self.key_change(&key, fact).await?;
            change.put_api_key(&key)?;
            let id = key.key_id();
            Step::commit(change, FreshKey { key, secret }).once(act, 201, id)
        };
        let replay = |made: String| async move { Err(not_repeated(&made)) };
        Ok(self.settle(act, attempt, replay).await?.value)
    }

    /// Puts another key in a key's place; the old one stays good for 24 hours.
    pub async fn rotate_key(&self, act: &Act, id: &str) -> Result<FreshKey> {
        act.caller.require(KeyRole::Admin)?;
        let attempt = || async {
            let old = self.live_key(id).await?;
            let new = NewKey {
                team_id: old.team_id.clone(),
                role: old.role,
                name: old.name.clone(),
                email: old.email.clone(),
                expires_at: old.expires_at,
            };
            let (key, secret) = self.fresh_key(&new, &act.caller);
            let grace = self.sources.now().plus(GRACE);
            let replaced = ApiKey {
                expires_at: Some(old.expires_at.map_or(grace, |end| end.min(grace))),
                rotated_to: Some(key.id.clone()),
                revision: old.revision + 1,
                ..old.clone()
            };
            let mut fact = Fact::new(&act.caller.actor, Action::KeyRotated, old.key_id());
            fact.before = describe(&old);
            fact.after = describe(&key);
            let mut change = self.key_change(&old, fact).await?;
            change.put_api_key(&key)?;
            change.put_api_key(&replaced)?;
            let id = key.key_id();
            Step::commit(change, FreshKey { key, secret }).once(act, 201, id)
        };
        let replay = |made: String| async move { Err(not_repeated(&made)) };
        Ok(self.settle(act, attempt, replay).await?.value)
    }

    /// Revokes a key. Revoking again changes nothing.
    pub async fn revoke_key(&self, act: &Act, id: &str) -> Result<ApiKey> {
        act.caller.require(KeyRole::Admin)?;
        let attempt = || async {
            let read_at = ReadAt::now(&self.sources);
            let before = self.store.api_key(id).await?.ok_or_else(|| Error::not_found("key"))?;
            if before.revoked_at.is_some() {
                return Ok(Step::Done((before, None)));
            }
            let after = ApiKey {
                revoked_at: Some(self.sources.now()),
                revision: before.revision + 1,
                ..before.clone()
            };
            let mut fact = Fact::new(&act.caller.actor, Action::KeyRevoked, before.key_id());
            fact.before = describe(&before);
            fact.after = describe(&after);
            let mut change = self.key_change(&after, fact).await?;
            change.put_api_key(&after)?;
            Ok(Step::commit(change, (after, Some(read_at))))
        };
        let made = self.settle(act, attempt, |_| async { Err(Error::not_found("key")) }).await?;
        let (key, read_at) = made.value;
        if let Some(read_at) = read_at {
            self.cache.publish_key(&key, read_at).await;
        }
        Ok(key)
    }

    /// A page of keys, without secrets, with when they were last used.
    pub async fn keys(
        &self,
        caller: &Caller,
        team: &TeamScope,
        request: &PageRequest,
    ) -> Result<Page<(ApiKey, Option<Timestamp>)>> {
        caller.require(KeyRole::Admin)?;
        let page = self.store.api_keys(team, request).await?;
        let mut data = Vec::with_capacity(page.data.len());
        for key in page.data {
            let last_used = self.store.key_last_used(&key.id).await?;
            data.push((key, last_used));
        }
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    async fn live_key(&self, id: &str) -> Result<ApiKey> {
        let key = self.store.api_key(id).await?.ok_or_else(|| Error::not_found("key"))?;
        if key.is_live(self.sources.now()) && key.rotated_to.is_none() {
            return Ok(key);
        }
        let detail = "This key is revoked, expired or replaced already; only a live key can be replaced.";
        Err(Error::new(ErrorKind::Conflict, detail))
    }

    fn fresh_key(&self, new: &NewKey, caller: &Caller) -> (ApiKey, String) {
        let (id, secret) = PresentedKey::generate(&self.sources);
        let presented = PresentedKey { id: &id, secret: &secret };
        let key = ApiKey {
            secret_sha256: presented.secret_sha256(),
            team_id: new.team_id.clone(),
            role: new.role,
            name: new.name.clone(),
            email: new.email.clone(),
            created_by: caller.actor.id.clone(),
            created_at: self.sources.now(),
            expires_at: new.expires_at,
            revoked_at: None,
            rotated_to: None,
            revision: 1,
            id: id.clone(),
        };
        (key, format!("cue_{id}_{secret}"))
    }

    async fn key_change(&self, key: &ApiKey, fact: Fact) -> Result<Change> {
        let team = self.team_or_new(&key.team_id).await?;
        Change::of_team(&team, team.clone(), fact, &self.sources)
    }
}

fn not_repeated(made: &str) -> Error {
    secret_not_repeated("key_id", made, "made", "Revoke it and make a new one.")
}

/// How the audit describes a key: never its secret, not even hashed.
fn describe(key: &ApiKey) -> serde_json::Value {
    json!({
        "key_id": key.key_id(), "team_id": key.team_id, "role": key.role, "name": key.name, "email": key.email,
        "expires_at": key.expires_at, "revoked_at": key.revoked_at,
    })
}
