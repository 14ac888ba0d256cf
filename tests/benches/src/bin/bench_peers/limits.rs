//! What no system can be faster than, on this machine and with this load.

use benches::{Outcome, child::Child, load::Load};

use crate::system::{Kind, System};

/// A handler that returns bytes which are there.
pub(crate) async fn bare(bytes: usize) -> Outcome<System> {
    Ok(limit("bare axum", Child::bare(bytes).await?))
}

/// A handler that asks Redis once.
pub(crate) async fn plain_get(cache_url: &str, bytes: usize) -> Outcome<System> {
    Ok(limit("axum, one GET of Redis", Child::plain_get(cache_url, bytes).await?))
}

fn limit(name: &str, server: Child) -> System {
    System { name: name.to_owned(), kind: Kind::Limit, server, load: Load::reference(), _folder: None }
}
