//! The HMAC keys of resolution tokens.

use domain::{Result, SigningKeyId, token::SigningKey};

use crate::{
    Page, PageRequest, Store,
    keys::{Key, List},
    table::{attribute, text, to_item},
};

impl Store {
    /// Puts a new signing key. It belongs to no chain: it is a secret, and nobody's doing.
    pub async fn put_signing_key(&self, key: &SigningKey) -> Result<()> {
        let mut item = to_item(&Key::SigningKey(key.kid), key)?;
        item.insert(attribute::INDEX_PK.to_owned(), text(List::SigningKeys.pk()));
        item.insert(attribute::INDEX_SK.to_owned(), text(key.kid.to_string()));
        self.put_new(item).await.map(|_| ())
    }

    /// Reads a signing key.
    pub async fn signing_key(&self, kid: SigningKeyId) -> Result<Option<SigningKey>> {
        self.get(&Key::SigningKey(kid)).await
    }

    /// The newest signing key, which signs.
    pub async fn newest_signing_key(&self) -> Result<Option<SigningKey>> {
        let query = self.query_list(&List::SigningKeys).scan_index_forward(false);
        let page: Page<SigningKey> = self.page(query, &PageRequest::first(1)).await?;
        Ok(page.data.into_iter().next())
    }
}
