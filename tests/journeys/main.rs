//! Journeys: what people do with the platform. The same suite runs on the functions' routers, on `local` over HTTP, and
//! on the built programs as Lambda runs them.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod bootstraps;
mod lambda;
mod processes;
mod suite;
mod target;
mod tls;

use target::Target;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_journeys_succeed_on_all_three_platforms() {
    let routers = Target::routers().await;
    let of_routers = suite::run(&routers).await;
    let local = Target::local().await;
    let of_local = suite::run(&local).await;
    let programs = Target::programs().await;
    let of_programs = suite::run(&programs).await;
    for (platform, (journeys, asked)) in
        [("routers", of_routers), ("local", of_local), ("programs", of_programs)]
    {
        println!("{platform}: {journeys} journeys, {asked} requests");
    }
    assert_eq!(of_routers, of_local);
    assert_eq!(of_routers, of_programs);
    assert_eq!(
        programs.calls_outside(),
        0,
        "functions inside call the tables, the buckets and the cache alone"
    );
}
