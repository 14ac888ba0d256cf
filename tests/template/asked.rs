//! What the functions ask of AWS: a platform on which each of them does its work, and what is heard of it.

mod needs;
mod pages;
mod releases;
mod rounds;
mod stage;
mod trials;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::OnceCell;

use self::stage::Stage;

/// What the calls of each function need, by its name in the template, as `action on place`.
pub(crate) type Asked = BTreeMap<String, BTreeSet<String>>;

/// Lets each function work until it has used each of its rights. Not every operation of the API is among that.
pub(crate) async fn asked() -> &'static Asked {
    static ASKED: OnceCell<Asked> = OnceCell::const_new();
    // Boxed, for it is large.
    let play = || {
        Box::pin(async {
            let mut stage = Stage::start().await;
            let written = written::play(&mut stage).await;
            releases::play(&mut stage, &written).await;
            pages::play(&mut stage, &written).await;
            trials::play(&mut stage, &written).await;
            rounds::play(&mut stage, &written).await;
            stage.asked()
        })
    };
    ASKED.get_or_init(play).await
}
