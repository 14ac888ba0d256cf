//! What signs tokens, and what verifies them.

use std::{sync::Arc, time::Duration};

use domain::{
    Error, Result, SigningKeyId,
    token::{Signer, SigningKey, kid_of},
};

use crate::{
    Cache, ReadAt,
    layer::Loaded,
    values::{FormerSignerEntry, SignerEntry},
};

/// How long a signing key verifies tokens: longer than they are valid.
const SIGNING_KEY_LIFE: Duration = Duration::from_hours(45 * 24);

impl Cache {
    /// What signs resolution tokens now.
    pub async fn signer(&self) -> Result<Arc<Signer>> {
        let load = || async {
            let read_at = ReadAt::now(&self.sources);
            Ok(Loaded::of_table(SignerEntry(self.newest_signer().await?), read_at))
        };
        Ok(self.signer.get(&(), load).await?.value.0)
    }

    /// What verifies a token: the key that signed it, if there is one and it is young enough.
    pub async fn signer_of(&self, token: &str) -> Result<Option<Arc<Signer>>> {
        let Some(kid) = kid_of(token) else { return Ok(None) };
        let current = self.signer().await?;
        if current.kid() == kid {
            return Ok(Some(current));
        }
        let load = || async {
            let read_at = ReadAt::now(&self.sources);
            Ok(Loaded::of_table(FormerSignerEntry(self.former_signer(kid).await?), read_at))
        };
        Ok(self.former_signers.get(&kid, load).await?.value.0)
    }

    async fn newest_signer(&self) -> Result<Arc<Signer>> {
        let key: SigningKey = self.store.newest_signing_key().await?.ok_or_else(|| {
            Error::unavailable(
                "The signing of tokens",
                "there is no signing key yet: `steer` makes the first one",
            )
        })?;
        Signer::new(&key).map(Arc::new).ok_or_else(|| Error::internal("the signing key is damaged"))
    }

    async fn former_signer(&self, kid: SigningKeyId) -> Result<Option<Arc<Signer>>> {
        let young = |key: &SigningKey| {
            self.sources.now().since(key.created_at).is_none_or(|age| age < SIGNING_KEY_LIFE)
        };
        let key = self.store.signing_key(kid).await?.filter(young);
        Ok(key.and_then(|key| Signer::new(&key)).map(Arc::new))
    }
}
