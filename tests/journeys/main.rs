//! Journeys: what people do with the platform. The same suite runs on the functions' routers, on `local` over HTTP, and
//! on the built programs as Lambda runs them; and on the routers over engines that others wrote.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod bootstraps;
mod cluster;
mod engines;
mod flags;
mod lambda;
mod nodes;
mod processes;
mod said;
mod storm;
mod suite;
mod target;
mod tls;

use std::sync::Arc;

use e2e::{ADMIN, Call, FleetSettings};
use lambda::Lambda;
use serde_json::json;
use target::Target;
use testkit::runtime_api::HttpFront;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_journeys_succeed_on_all_three_platforms() {
    let routers = Target::routers().await;
    let of_routers = suite::run(&routers).await;
    let local = Target::local().await;
    let of_local = suite::run(&local).await;
    let programs = Target::programs().await;
    let of_programs = suite::run(&programs).await;
    let with_cache = Target::programs_with_cache().await;
    let of_with_cache = suite::run(&with_cache).await;
    for (platform, (journeys, asked)) in [
        ("routers", of_routers),
        ("local", of_local),
        ("programs", of_programs),
        ("programs with a cache", of_with_cache),
    ] {
        println!("{platform}: {journeys} journeys, {asked} requests");
        assert_eq!((journeys, asked), of_routers, "{platform}");
    }
    let cached = with_cache.cached().await;
    assert!(cached.iter().sum::<usize>() > 0, "the cache was there and nobody used it: {cached:?}");
    for platform in [programs, with_cache] {
        assert_eq!(
            platform.calls_outside(),
            0,
            "functions inside call the tables, the buckets and the cache alone"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_inside_that_calls_a_provider_is_noticed() {
    let lambda = Lambda::start(FleetSettings { sandboxes: 1, ..FleetSettings::default() }).await;
    let inside = Arc::new(lambda.fleet.another("try", &lambda.fleet.private_network()));
    let front = HttpFront::start(move |_, _| Some(inside.clone())).unwrap();
    let model = json!({
        "provider": "openai", "input_usd_per_mtok": 0, "output_usd_per_mtok": 0, "secret_name": "cuecard/far",
    });
    lambda.admin(Call::put("/api/models/far%2Faway", &model)).await.expect(200);
    assert_eq!(lambda.fleet.calls_outside(), 0);
    let ask = json!({ "draft": { "template_text": "x", "model_id": "far/away" } });
    Call::post("/api/try", &ask).key(ADMIN).send_to(&front.url()).await.refused(502, "provider");
    assert!(lambda.fleet.calls_outside() > 0);
}
