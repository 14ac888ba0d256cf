//! How a platform gets its first key, by which all others are made.

use domain::{
    ApiKey, Caller, Error, KeyRole, Result, TeamScope,
    audit::{Action, Fact},
    key::{HashedKey, PresentedKey},
};
use serde_json::Value;

use super::describe;
use crate::{Act, Registry, settle::Step};

impl Registry {
    /// Makes sure that this very key opens as an admin's for all teams, whatever became of it: its owner owns the
    /// platform.
    pub async fn ensure_admin_key(&self, presented: &PresentedKey<'_>) -> Result<ApiKey> {
        let key = HashedKey::of(presented);
        let attempt = || async {
            let before = self.store.api_key(&key.id).await?;
            let wanted = self.of_admin(&key, before.as_ref());
            let is_so = |key: &ApiKey| ApiKey { revision: key.revision, ..wanted.clone() } == *key;
            match before {
                Some(key) if is_so(&key) => Ok(Step::Done(key)),
                before => self.install(wanted, before.as_ref()).await,
            }
        };
        self.installed(attempt).await
    }

    /// Makes this key an admin's for all teams where there was none of its id. One that was replaced or revoked since
    /// stays so. Says whether it was made.
    pub async fn install_admin_key(&self, key: &HashedKey) -> Result<bool> {
        let attempt = || async {
            match self.store.api_key(&key.id).await? {
                Some(_) => Ok(Step::Done(false)),
                None => Ok(self.install(self.of_admin(key, None), None).await?.map(|_| true)),
            }
        };
        self.installed(attempt).await
    }

    async fn installed<T, A>(&self, attempt: impl Fn() -> A) -> Result<T>
    where
        A: Future<Output = Result<Step<T>>>,
    {
        let act = Act::by(installer());
        Ok(self.settle(&act, attempt, |_| async { Err(Error::not_found("key")) }).await?.value)
    }

    fn of_admin(&self, key: &HashedKey, before: Option<&ApiKey>) -> ApiKey {
        ApiKey {
            id: key.id.clone(),
            secret_sha256: key.secret_sha256.clone(),
            team_id: TeamScope::All,
            role: KeyRole::Admin,
            name: "admin".to_owned(),
            email: None,
            created_by: installer().actor.id,
            created_at: before.map_or_else(|| self.sources.now(), |key| key.created_at),
            expires_at: None,
            revoked_at: None,
            rotated_to: None,
            revision: before.map_or(1, |key| key.revision + 1),
        }
    }

    async fn install(&self, wanted: ApiKey, before: Option<&ApiKey>) -> Result<Step<ApiKey>> {
        let mut fact = Fact::new(&installer().actor, Action::KeyCreated, wanted.key_id());
        fact.before = before.map_or(Value::Null, describe);
        fact.after = describe(&wanted);
        let mut change = self.key_change(&wanted, fact).await?;
        change.put_api_key(&wanted)?;
        Ok(Step::commit(change, wanted))
    }
}

/// Whom the audit names.
fn installer() -> Caller {
    Caller::system("installation")
}
