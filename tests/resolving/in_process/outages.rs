//! The platform is away, comes back, and moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Request};
use client::{Error, resolver::Options};
use domain::{allocation::Unit, template::Values};
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::{Beside, SEEN_BY_ALL, by_hand, roll_back, text};
use crate::scene::Scene;

#[tokio::test]
async fn through_hours_without_the_platform_every_answer_is_the_last_known_and_says_its_age() {
    let beside = Beside::start().await;
    beside.moved().await;
    let resolver = beside.resolver(by_hand()).await.unwrap();
    assert!(!resolver.status().stale && resolver.status().failure.is_none());
    beside.is_away(true);
    for hours in 1..=12 {
        beside.scene.world.clock.advance(Duration::from_hours(1));
        assert!(matches!(resolver.refresh().await, Err(Error::Unreachable { .. } | Error::Lost { .. })));
        for number in 0..100 {
            let unit = Unit::user(format!("{hours}-{number}"));
            let answer = resolver.resolve("moved", &unit, &Values::default()).unwrap();
            assert_eq!(answer.rendered.text.as_deref(), Some("two"));
            assert!(answer.stale && answer.age >= Duration::from_hours(hours), "{:?}", answer.age);
        }
    }
    let status = resolver.status();
    assert!(status.stale && status.failure.is_some(), "{status:?}");
    beside.is_away(false);
    resolver.refresh().await.unwrap();
    let status = resolver.status();
    assert!(!status.stale && status.failure.is_none() && status.age < Duration::from_secs(1), "{status:?}");
}

#[tokio::test]
async fn the_age_is_also_that_of_what_the_platform_itself_serves_stale() {
    let beside = Beside::start().await;
    beside.moved().await;
    let resolver = beside.resolver(by_hand()).await.unwrap();
    beside.scene.world.clock.advance(Duration::from_millis(500));
    resolver.refresh().await.unwrap();
    assert_eq!(resolver.status().age, Duration::from_millis(500), "the platform answered from memory");
}

#[tokio::test]
async fn a_rollback_is_seen_at_the_next_look_and_looks_are_close_enough_for_2_s() {
    let beside = Beside::start().await;
    let prompt = beside.moved().await;
    let resolver = beside.resolver(by_hand()).await.unwrap();
    assert_eq!(text(&resolver), "two");
    roll_back(&beside, &prompt).await;
    resolver.refresh().await.unwrap();
    assert_eq!(text(&resolver), "one");
    assert!(Options::default().every + SEEN_BY_ALL < Duration::from_secs(2));
}

#[tokio::test]
async fn the_work_in_the_background_sees_it_without_being_asked() {
    let beside = Beside::start().await;
    let prompt = beside.moved().await;
    let every = Duration::from_millis(5);
    let resolver = beside.resolver(Options { every, ..by_hand() }).await.unwrap();
    roll_back(&beside, &prompt).await;
    let seen = async {
        while text(&resolver) != "one" {
            resolver.refreshed().await;
        }
    };
    timeout(Duration::from_mins(1), seen).await.unwrap();
}

#[tokio::test]
async fn a_process_of_the_platform_that_is_behind_takes_nothing_back() {
    let scene = Scene::start().await;
    let (ahead, behind) =
        (scene.world.another_process().await.router, scene.world.another_process().await.router);
    let is_behind = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&is_behind);
    let either = Router::new().fallback(move |request: Request| {
        let router = if asked.load(Ordering::SeqCst) { behind.clone() } else { ahead.clone() };
        async move { router.oneshot(request).await.unwrap() }
    });
    let beside = Beside::over(scene, either).await;
    let prompt = beside.moved().await;
    let resolver = beside.resolver(by_hand()).await.unwrap();
    beside.scene.world.roll_back(&prompt, "production").await.expect(200);
    is_behind.store(false, Ordering::SeqCst);
    resolver.refresh().await.unwrap();
    assert_eq!(text(&resolver), "one");
    is_behind.store(true, Ordering::SeqCst);
    resolver.refresh().await.unwrap();
    assert_eq!(text(&resolver), "one", "it serves `two` for a moment longer");
}

#[tokio::test]
async fn without_platform_and_file_there_is_nothing_to_start_from() {
    let beside = Beside::start().await;
    beside.is_away(true);
    let refused = beside.resolver(by_hand()).await.err().unwrap();
    assert!(matches!(refused, Error::Unreachable { .. } | Error::Lost { .. }), "{refused}");
    beside.is_away(false);
    let stranger = beside.client("cue_nobody_nothing");
    let refused = client::resolver::Resolver::start(stranger, by_hand()).await.err().unwrap();
    assert_eq!(refused.problem().unwrap().status, 401);
}
