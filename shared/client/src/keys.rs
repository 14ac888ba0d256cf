//! API keys.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Client, Page, Result, call::segment, page::OfTeam};

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// `key_<id>`.
    pub key_id: String,
    /// A team, or `*`.
    pub team_id: String,
    /// `resolver`, `author`, `releaser` or `admin`.
    pub role: String,
    /// The person or service that it belongs to.
    pub name: String,
    /// How to reach them.
    pub email: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The key that took its place.
    pub rotated_to: Option<String>,
    /// To the hour.
    pub last_used_at: Option<Timestamp>,
}

/// A key just made, with its secret, this once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FreshKey {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// `cue_<id>_<secret>`.
    pub secret: String,
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// A team, or `*`.
    pub team_id: String,
    /// `resolver`, `author`, `releaser` or `admin`.
    pub role: String,
    /// The person or service that it belongs to.
    pub name: String,
    /// How to reach them.
    pub email: Option<String>,
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
}

impl Client {
    /// Makes a key.
    pub async fn create_key(&self, new: &NewKey) -> Result<FreshKey> {
        self.post_once("/api/keys").json(new).answer().await
    }

    /// Lists the keys of a team, or those for all teams.
    pub async fn keys(&self, team_id: Option<&str>, most: usize) -> Result<Page<Key>> {
        self.list("/api/keys", &OfTeam { team_id }, most).await
    }

    /// Puts another key in a key's place; the old one stays good for a while.
    pub async fn rotate_key(&self, key: &str) -> Result<FreshKey> {
        self.post_once(&format!("/api/keys/{}/rotate", segment(key))).answer().await
    }

    /// Revokes a key.
    pub async fn revoke_key(&self, key: &str) -> Result<Key> {
        self.delete(&format!("/api/keys/{}", segment(key))).answer().await
    }
}
