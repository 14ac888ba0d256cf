//! The providers' keys, looked up by name at each call.

use std::{fmt, sync::Arc};

type LookUp = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A look-up of keys. It shows nothing of what it holds.
#[derive(Clone)]
pub struct Secrets(Arc<LookUp>);

impl Secrets {
    /// Keys from wherever the caller keeps them.
    pub fn new(look_up: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(look_up))
    }

    /// The key of this name; an empty one counts as missing.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|key| key.trim().to_owned()).filter(|key| !key.is_empty())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}
