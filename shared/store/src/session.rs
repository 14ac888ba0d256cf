//! Sessions of the console: a browser in which somebody signed in stands for their key.

use domain::{Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    keys::Key,
    sent::Sent,
    table::{attribute, failed, number, text, to_item},
};

/// A session. It holds no secret: neither its own nor the key's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// SHA-256 of the token that the browser holds, in hex.
    pub token_sha256: String,
    /// The public part of the key that it stands for.
    pub key_id: String,
    /// When somebody signed in.
    pub opened_at: Timestamp,
    /// From when on it is nobody's.
    pub expires_at: Timestamp,
}

impl Store {
    /// Puts a new session. It belongs to no chain: that somebody looks changes nothing.
    pub async fn put_session(&self, session: &Session) -> Result<()> {
        let mut item = to_item(&Key::Session(session.token_sha256.clone()), session)?;
        item.insert(attribute::GONE_AT.to_owned(), number(session.expires_at.as_seconds()));
        self.put_new(item).await.map(|_| ())
    }

    /// Reads a session, which may have expired.
    pub async fn session(&self, token_sha256: &str) -> Result<Option<Session>> {
        self.get(&Key::Session(token_sha256.to_owned())).await
    }

    /// Takes a session away, if it is there.
    pub async fn delete_session(&self, token_sha256: &str) -> Result<()> {
        let key = Key::Session(token_sha256.to_owned());
        let delete = self.dynamodb().delete_item().table_name(&self.names.registry);
        let delete = delete.key(attribute::PK, text(key.pk())).key(attribute::SK, text(key.sk()));
        delete.sent().await.map_err(failed)?;
        Ok(())
    }
}
