//! A start from a file, while the platform is away.

use std::{fs, path::Path, time::Duration};

use client::{
    Error,
    resolver::{Options, Resolver},
};
use domain::allocation::Rule;
use e2e::Call;
use tempfile::TempDir;

use super::{Beside, SEEN_BY_ALL, ada, by_hand, text};
use crate::trials::greeter;

fn from(path: &Path) -> Options {
    Options { file: Some(path.to_owned()), ..by_hand() }
}

/// Why the file is not used.
fn why(started: client::Result<Resolver>) -> String {
    match started.err().unwrap() {
        Error::Untrusted { why, .. } => why,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_process_starts_from_its_file_and_says_how_old_that_is() {
    let beside = Beside::start().await;
    beside.moved().await;
    let folder = TempDir::with_prefix("cuecard-").unwrap();
    let path = folder.path().join("prompts.snapshot");
    let former = beside.resolver(from(&path)).await.unwrap();
    former.snapshot_to(&path).await.unwrap();
    beside.is_away(true);
    beside.scene.world.clock.advance(Duration::from_hours(5));
    let resolver = beside.resolver(from(&path)).await.unwrap();
    assert_eq!(text(&resolver), "two");
    let status = resolver.status();
    assert!(status.stale && status.failure.is_some() && status.age >= Duration::from_hours(5), "{status:?}");
    beside.is_away(false);
    resolver.refresh().await.unwrap();
    assert!(!resolver.status().stale);
    assert_eq!(text(&resolver), "two");
}

#[tokio::test]
async fn a_file_holds_all_that_answers_are_made_of() {
    let (scene, versions) = greeter().await;
    scene.split(&versions, &[0.2, 0.3, 0.5], 1, Rule::Split { enrolled: 0.9 }).await;
    scene.greeter("hello").await;
    let router = scene.world.another_process().await.router;
    let beside = Beside::over(scene, router).await;
    let folder = TempDir::with_prefix("cuecard-").unwrap();
    let path = folder.path().join("prompts.snapshot");
    let former = beside.resolver(by_hand()).await.unwrap();
    former.snapshot_to(&path).await.unwrap();
    beside.is_away(true);
    let resolver = beside.resolver(from(&path)).await.unwrap();
    for number in 0..50 {
        let unit = domain::allocation::Unit::user(number.to_string());
        for name in ["greeter", "support/hello"] {
            let [before, after] =
                [&former, &resolver].map(|resolver| resolver.resolve(name, &unit, &ada()).unwrap());
            assert_eq!(before.rendered, after.rendered);
            assert_eq!(before.assignment, after.assignment);
        }
    }
}

#[tokio::test]
async fn an_altered_or_foreign_file_is_refused_whether_the_platform_answers_or_not() {
    let beside = Beside::start().await;
    beside.moved().await;
    let folder = TempDir::with_prefix("cuecard-").unwrap();
    let path = folder.path().join("prompts.snapshot");
    let resolver = beside.resolver(by_hand()).await.unwrap();
    resolver.snapshot_to(&path).await.unwrap();
    let whole = fs::read(&path).unwrap();
    let body = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let other = beside.scene.world.key("support", "resolver").await;
    for away in [false, true] {
        beside.is_away(away);
        for at in [body - 2, body, body + 40, whole.len() / 2, whole.len() - 1] {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            fs::write(&path, &altered).unwrap();
            assert!(why(beside.resolver(from(&path)).await).contains("altered"), "{at}");
        }
        for part in [&whole[..whole.len() - 1], &whole[..body]] {
            fs::write(&path, part).unwrap();
            assert!(why(beside.resolver(from(&path)).await).contains("altered"));
        }
        for no_snapshot in [&b""[..], b"{}", b"cuecard-snapshot-1\n{}", &whole[1..]] {
            fs::write(&path, no_snapshot).unwrap();
            assert!(why(beside.resolver(from(&path)).await).contains("no snapshot"));
        }
        fs::write(&path, &whole).unwrap();
        let foreign = Resolver::start(beside.client(&other), from(&path)).await;
        assert!(why(foreign).contains("another key"));
        let elsewhere = Options { environment: "staging".parse().unwrap(), ..from(&path) };
        assert!(why(beside.resolver(elsewhere).await).contains("environment `production`"));
        let theirs = Options { team: Some("theirs".parse().unwrap()), ..from(&path) };
        assert!(why(beside.resolver(theirs).await).contains("team `support`"));
    }
}

#[tokio::test]
async fn who_holds_a_revoked_key_does_not_start_from_its_file_while_the_platform_says_so() {
    let beside = Beside::start().await;
    beside.moved().await;
    let folder = TempDir::with_prefix("cuecard-").unwrap();
    let path = folder.path().join("prompts.snapshot");
    beside.resolver(by_hand()).await.unwrap().snapshot_to(&path).await.unwrap();
    let keys = beside.scene.world.admin(Call::get("/api/keys?team_id=support")).await.expect(200);
    let key = e2e::text(&keys["data"][0]["key_id"]).to_owned();
    beside.scene.world.admin(Call::delete(format!("/api/keys/{key}"))).await.expect(200);
    beside.scene.world.clock.advance(SEEN_BY_ALL);
    let refused = beside.resolver(from(&path)).await.err().unwrap();
    assert_eq!(refused.problem().unwrap().status, 401);
    beside.is_away(true);
    assert_eq!(text(&beside.resolver(from(&path)).await.unwrap()), "two", "nobody says so any more");
}

#[tokio::test]
async fn a_file_is_written_as_a_whole_and_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let beside = Beside::start().await;
    beside.moved().await;
    let folder = TempDir::with_prefix("cuecard-").unwrap();
    let path = folder.path().join("prompts.snapshot");
    let resolver = beside.resolver(by_hand()).await.unwrap();
    for _ in 0..2 {
        resolver.snapshot_to(&path).await.unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let nowhere = folder.path().join("absent").join("file");
    assert!(matches!(resolver.snapshot_to(&nowhere).await, Err(Error::File { .. })));
}
