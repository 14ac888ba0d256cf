//! What the functions ask of AWS: a platform on which each of them does its work, and what is heard of it.

mod needs;
mod operations;
mod pages;
mod releases;
mod rounds;
mod stage;
mod trials;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::OnceCell;

use self::stage::Stage;
use crate::code;

/// What the calls of each function need, by its name in the template, as `action on place`.
pub(crate) type Asked = BTreeMap<String, BTreeSet<String>>;

/// The routes that each package of a function answered with what was asked for, as the gateway writes them.
pub(crate) type Played = BTreeMap<&'static str, BTreeSet<String>>;

/// What was heard.
pub(crate) struct Heard {
    pub(crate) asked: Asked,
    played: Played,
}

/// Lets each function work until it has used each of its rights, and has done each operation of the API once.
pub(crate) async fn heard() -> &'static Heard {
    static HEARD: OnceCell<Heard> = OnceCell::const_new();
    // Boxed, for it is large.
    let play = || {
        Box::pin(async {
            let mut stage = Stage::start().await;
            let written = written::play(&mut stage).await;
            releases::play(&mut stage, &written).await;
            pages::play(&mut stage, &written).await;
            trials::play(&mut stage, &written).await;
            operations::play(&mut stage).await;
            rounds::play(&mut stage, &written).await;
            Heard { asked: stage.asked(), played: stage.played() }
        })
    };
    HEARD.get_or_init(play).await
}

/// A right that only one operation needs is missed by nobody unless that operation is played.
#[tokio::test]
async fn each_operation_is_played_by_the_function_that_has_it() {
    let played = &heard().await.played;
    let is_played =
        |route: &str, package: &str| played.get(package).is_some_and(|routes| routes.contains(route));
    // What stands for all pages is no operation.
    let operations = code::operations().into_iter().filter(|(_, package)| *package != "console");
    let silent: Vec<_> = operations.filter(|(route, package)| !is_played(route, package)).collect();
    assert!(silent.is_empty(), "{silent:#?}");
}
