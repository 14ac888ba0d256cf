//! API keys, roles, and who is acting.

mod hashed;
mod signature;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Error, ErrorKind, Result, Sources, TeamId, Timestamp, TraceId};

pub use hashed::HashedKey;

/// What a key may do; each role includes the former.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// Resolve prompts, report metrics, try prompts.
    Resolver,
    /// Write prompts and versions; move every ref but production's.
    Author,
    /// Move production.
    Releaser,
    /// Keys, overrides, models, and every team.
    Admin,
}

/// Which teams' things a key sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TeamScope {
    /// Every team: `*`.
    All,
    /// One team.
    Team(TeamId),
}

impl TeamScope {
    /// The text in which a chain or an item names the scope.
    pub fn as_str(&self) -> &str {
        match self {
            Self::All => "*",
            Self::Team(team) => team.as_str(),
        }
    }

    /// The one team, when it is one.
    pub fn team(&self) -> Option<&TeamId> {
        match self {
            Self::All => None,
            Self::Team(team) => Some(team),
        }
    }
}

impl std::str::FromStr for TeamScope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "*" { Ok(Self::All) } else { text.parse().map(Self::Team) }
    }
}

impl TryFrom<String> for TeamScope {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<TeamScope> for String {
    fn from(scope: TeamScope) -> Self {
        scope.as_str().to_owned()
    }
}

/// A stored key. Its secret is known only as a hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    /// The part between `cue_` and the secret.
    pub id: String,
    /// SHA-256 of the secret, in hex.
    pub secret_sha256: String,
    /// Whose things it sees.
    pub team_id: TeamScope,
    /// What it may do.
    pub role: KeyRole,
    /// The person or service that it belongs to.
    pub name: String,
    /// How to reach them.
    pub email: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The key that took its place, when it was rotated.
    pub rotated_to: Option<String>,
    /// Counts its changes.
    pub revision: u64,
}

impl ApiKey {
    /// Whether it opens doors at this moment.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether the secret is this key's, in constant time.
    pub fn is_opened_by(&self, secret: &str) -> bool {
        self.secret_sha256.as_bytes().ct_eq(sha256_hex(secret).as_bytes()).into()
    }

    /// `key_<id>`, as the API names it.
    pub fn key_id(&self) -> String {
        key_id(&self.id)
    }
}

/// `key_<id>`.
pub fn key_id(id: &str) -> String {
    format!("key_{id}")
}

/// A key as a caller shows it: `cue_<id>_<secret>`.
pub struct PresentedKey<'a> {
    /// The public part.
    pub id: &'a str,
    /// The secret part.
    pub secret: &'a str,
}

impl<'a> PresentedKey<'a> {
    /// Splits the text; `None` when it is no key of ours.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (id, secret) = text.strip_prefix("cue_")?.split_once('_')?;
        let secret_fits = (1..=200).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_graphic());
        (is_id(id) && secret_fits).then_some(Self { id, secret })
    }

    /// The hash under which the secret is stored.
    pub fn secret_sha256(&self) -> String {
        sha256_hex(self.secret)
    }

    /// A fresh key's public part and secret (192 bits).
    pub fn generate(sources: &Sources) -> (String, String) {
        let id = ulid::Ulid::from_parts(
            u64::try_from(sources.now().as_millis()).unwrap_or(0),
            u128::from_be_bytes(sources.bytes()),
        );
        (id.to_string(), hex::encode(sources.bytes::<24>()))
    }
}

/// Whether the text can be a key's public part.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn sha256_hex(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Who did something, as the audit keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// `key_<id>`, `system`, or `iam:unverified`.
    pub id: String,
    /// The key's name.
    pub name: String,
    /// The role in which it acted.
    pub role: KeyRole,
    /// Whom the key acted for, as it said itself (`X-Cuecard-User`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who it is in the audit.
    pub actor: Actor,
    /// Which teams it sees, before its role is considered.
    pub scope: TeamScope,
    /// The trace that its request belongs to.
    pub trace_id: Option<TraceId>,
}

impl Caller {
    /// The platform itself: it sees everything and acts as a releaser does.
    pub fn system(job: &str) -> Self {
        let actor =
            Actor { id: "system".to_owned(), name: job.to_owned(), role: KeyRole::Releaser, user: None };
        Self { actor, scope: TeamScope::All, trace_id: None }
    }

    /// What it may do.
    pub fn role(&self) -> KeyRole {
        self.actor.role
    }

    /// Whether the team's things exist for this caller.
    pub fn sees(&self, team: &TeamId) -> bool {
        self.sees_all() || self.scope.team() == Some(team)
    }

    /// Whether it sees every team: an admin does, whatever team its key was made for.
    pub fn sees_all(&self) -> bool {
        self.role() == KeyRole::Admin || self.scope == TeamScope::All
    }

    /// Refuses a caller whose role does not reach.
    pub fn require(&self, role: KeyRole) -> Result<()> {
        if self.role() >= role {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forbidden,
            format!(
                "This needs the role {}; the key `{}` is {}.",
                role.name(),
                self.actor.name,
                self.role().name()
            ),
        ))
    }
}

impl KeyRole {
    /// As the API writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolver => "resolver",
            Self::Author => "author",
            Self::Releaser => "releaser",
            Self::Admin => "admin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presented_key_has_an_id_and_a_secret() {
        let key = PresentedKey::parse("cue_admin-1_s3cret_with_more").unwrap();
        assert_eq!((key.id, key.secret), ("admin-1", "s3cret_with_more"));
        for bad in ["", "cue_", "cue_a", "cue_a_", "cue__b", "key_a_b", "cue_a b_c"] {
            assert!(PresentedKey::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn roles_include_the_former() {
        let caller = |role| Caller {
            actor: Actor { id: "k".into(), name: "n".into(), role, user: None },
            scope: TeamScope::All,
            trace_id: None,
        };
        assert!(caller(KeyRole::Releaser).require(KeyRole::Author).is_ok());
        let refused = caller(KeyRole::Author).require(KeyRole::Releaser).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Forbidden);
    }
}
