//! When the table fails: what is known is served for a while, and says so.

use std::{collections::BTreeSet, time::Duration};

use cache::Source;
use domain::{ErrorKind, Timestamp, name::production};
use e2e::{Answer, Call, Process, text};
use futures_util::future::join_all;
use serde_json::json;
use testkit::{
    fault::{Fault, Rule},
    tcp_proxy::TcpProxy,
};
use tokio::time::Instant;

use super::{cold, id, pair};
use crate::scene::{Scene, outage, resolve};

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_hours(1);

async fn ask(scene: &Scene, process: &Process) -> Answer {
    resolve(&[("prompt", "greeter")]).key(&scene.key).send(&process.router).await
}

/// A process that has resolved once.
async fn warm() -> (Scene, Process) {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    let process = scene.world.another_process().await;
    ask(&scene, &process).await.expect(200);
    (scene, process)
}

#[tokio::test]
async fn connections_that_died_while_a_process_was_frozen_are_no_outage() {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    let way = TcpProxy::start(scene.world.tables()).unwrap();
    let process = scene.world.another_process_through(format!("http://{}", way.address())).await;
    ask(&scene, &process).await.expect(200);
    way.lose();
    // After so long nothing that memory holds may be served without a look at the table.
    scene.world.clock.advance(25 * HOUR);
    let answer = ask(&scene, &process).await;
    assert_eq!(answer.expect(200)["resolved_text"], "x");
    assert_eq!(answer.header("cuecard-source"), "table");
}

#[tokio::test]
async fn what_is_known_is_served_for_an_hour_and_then_nothing_is() {
    let (scene, process) = warm().await;
    let broken = scene.world.faults().add(outage());
    scene.world.clock.advance(751 * MS);
    let stale = ask(&scene, &process).await;
    assert_eq!((stale.header("cuecard-source"), stale.header("cuecard-age-ms")), ("stale", "751"));
    assert_eq!(stale.expect(200)["resolved_text"], "x");
    scene.world.clock.advance((3_600_000 - 751) * MS);
    assert_eq!(ask(&scene, &process).await.header("cuecard-age-ms"), "3600000");
    // A key is believed for an hour without asking.
    scene.world.clock.advance(MS);
    let refused = ask(&scene, &process).await;
    assert_eq!(refused.header("retry-after"), "1");
    refused.refused(503, "unavailable");
    broken.end();
    let healed = ask(&scene, &process).await;
    assert_eq!((healed.header("cuecard-source"), healed.header("cuecard-age-ms")), ("table", "0"));
    healed.expect(200);
}

#[tokio::test]
async fn a_pair_is_served_for_24_hours() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let cache = cold(&scene).await;
    pair(&cache, &prompt).await;
    let broken = scene.world.faults().add(outage());
    scene.world.clock.advance(24 * HOUR);
    let stale = pair(&cache, &prompt).await;
    assert_eq!((stale.source, stale.age), (Source::Stale, 24 * HOUR));
    scene.world.clock.advance(MS);
    let refused = cache.pair(id(&prompt), &production()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    broken.end();
    assert_eq!(pair(&cache, &prompt).await.source, Source::Table);
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_nothing_younger() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let cache = cold(&scene).await;
    pair(&cache, &prompt).await;
    let read = scene.world.registry().sources.now();
    scene.world.faults().add(outage());
    scene.world.clock.advance(10 * HOUR);
    scene.world.clock.set_wall(Timestamp::from_millis(read.as_millis() - 1));
    let stale = pair(&cache, &prompt).await;
    assert_eq!((stale.source, stale.age), (Source::Stale, 10 * HOUR));
    scene.world.clock.advance(14 * HOUR + MS);
    scene.world.clock.set_wall(Timestamp::from_millis(read.as_millis() - 1));
    cache.pair(id(&prompt), &production()).await.unwrap_err();
}

#[tokio::test]
async fn what_was_never_known_is_503_and_not_404_or_401() {
    let (scene, process) = warm().await;
    scene.live("other", r#"{"template_text": "x"}"#).await;
    let broken = scene.world.faults().add(outage());
    let send = async |call: Call| call.send(&process.router).await;
    send(resolve(&[("prompt", "other")]).key(&scene.key)).await.refused(503, "unavailable");
    send(resolve(&[("prompt", "greeter"), ("env", "staging")]).key(&scene.key))
        .await
        .refused(503, "unavailable");
    send(resolve(&[("prompt", "greeter")]).key("cue_nobody_secret")).await.refused(503, "unavailable");
    let cold = scene.world.another_process().await;
    ask(&scene, &cold).await.refused(503, "unavailable");
    broken.end();
    ask(&scene, &cold).await.expect(200);
}

#[tokio::test]
async fn what_was_not_there_is_not_believed_in_an_outage() {
    let (scene, process) = warm().await;
    let send = async |query: &[(&str, &str)]| resolve(query).key(&scene.key).send(&process.router).await;
    let (missing, not_live) = ([("prompt", "missing")], [("prompt", "greeter"), ("env", "staging")]);
    send(&missing).await.refused(404, "no-such-prompt");
    send(&not_live).await.refused(404, "not-live");
    scene.world.faults().add(outage());
    scene.world.clock.advance(751 * MS);
    send(&missing).await.refused(503, "unavailable");
    send(&not_live).await.refused(503, "unavailable");
}

#[tokio::test]
async fn a_key_that_expires_or_was_revoked_stays_out_in_an_outage() {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    let soon = scene.world.registry().sources.now().plus(10 * 60 * 1000 * MS).to_string();
    let body = json!({ "team_id": "support", "role": "resolver", "name": "short", "expires_at": soon });
    let short = scene.world.admin(Call::post("/api/keys", &body)).await.expect(201);
    let call = || resolve(&[("prompt", "greeter")]).key(text(&short["secret"]));
    scene.world.call(call()).await.expect(200);
    let keys = scene.world.admin(Call::get("/api/keys?team_id=support")).await.expect(200);
    let first = keys["data"].as_array().unwrap().iter().find(|key| key["key_id"] != short["key_id"]).unwrap();
    scene.world.admin(Call::delete(format!("/api/keys/{}", text(&first["key_id"])))).await.expect(200);
    scene.world.faults().add(outage());
    scene.world.clock.advance(9 * 60 * 1000 * MS);
    scene.world.call(call()).await.expect(200);
    scene.get(&[("prompt", "greeter")]).await.refused(401, "unauthenticated");
    scene.world.clock.advance(60 * 1000 * MS);
    scene.world.call(call()).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn the_signing_of_tokens_survives_an_outage() {
    let (scene, process) = warm().await;
    scene.world.faults().add(outage());
    scene.world.clock.advance(HOUR);
    let answer = ask(&scene, &process).await.expect(200);
    assert!(domain::token::kid_of(text(&answer["resolution_token"])).is_some());
}

/// The sources, or the statuses of refusals, that a crowd of readers is answered with.
async fn crowd(scene: &Scene, process: &Process) -> BTreeSet<String> {
    let requests = (0..200).map(|_| {
        let (call, router) = (resolve(&[("prompt", "greeter")]).key(&scene.key), process.router.clone());
        tokio::spawn(async move {
            let answer = call.send(&router).await;
            if answer.status == 200 { answer.header("cuecard-source").to_owned() } else { answer.problem() }
        })
    });
    join_all(requests.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_does_not_wait_in_line_for_a_table_that_fails() {
    let (scene, process) = warm().await;
    // Such a failure is worth a second try, so that each load takes a while to give up.
    let broken = scene.world.faults().add(Rule::all(Fault::Status(500)));
    scene.world.clock.advance(751 * MS);
    let started = Instant::now();
    assert_eq!(crowd(&scene, &process).await, BTreeSet::from(["stale".to_owned()]));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    broken.end();
    assert_eq!(ask(&scene, &process).await.header("cuecard-source"), "table");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_does_not_wait_in_line_for_a_table_that_hangs() {
    let (scene, process) = warm().await;
    let cold = scene.world.another_process().await;
    let hanging = scene.world.faults().add(Rule::all(Fault::Hold));
    scene.world.clock.advance(751 * MS);
    let started = Instant::now();
    let (known, unknown) = tokio::join!(crowd(&scene, &process), crowd(&scene, &cold));
    assert_eq!(known, BTreeSet::from(["stale".to_owned()]));
    assert_eq!(unknown, BTreeSet::from(["unavailable".to_owned()]));
    // Key and pair are each waited for, then asked for, and each gives up after two seconds.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    hanging.end();
    assert_eq!(ask(&scene, &process).await.header("cuecard-source"), "table");
}
