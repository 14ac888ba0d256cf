//! What reaches the cache by the stream: what its mover could not tell it, and not before the archive has it.

use aws_lambda_events::event::dynamodb::Event;
use e2e::{ARCHIVE, Call};
use testkit::tcp_proxy::{Behaviour, TcpProxy};

use crate::scene::{Scene, seen};

/// How many entries of the prompt's audit the archive has.
async fn archived(scene: &Scene) -> usize {
    let prefix = format!("audit/{}/", scene.prompt_id());
    let listed = scene.world.clients.s3.list_objects_v2().bucket(ARCHIVE).prefix(prefix).send().await;
    listed.unwrap().contents.unwrap_or_default().len()
}

/// The scene after a promotion and a revocation of which the cache was not told, and what the stream says of them.
async fn untold() -> (Scene, Vec<Event>) {
    let scene = Scene::start().await;
    scene.way.set(Behaviour::Refuse);
    scene.world.written().await;
    scene.move_to("two").await;
    let keys = scene.world.admin(Call::get("/api/keys?team_id=support")).await.expect(200);
    let key = keys["data"][0]["key_id"].as_str().unwrap();
    scene.world.admin(Call::delete(format!("/api/keys/{key}"))).await.expect(200);
    let written = scene.world.written().await;
    assert_eq!(scene.cache_says().await, seen("cache", 0, "one"));
    (scene, written)
}

#[tokio::test]
async fn a_change_that_its_mover_could_not_tell_the_cache_reaches_it_by_the_stream() {
    let (scene, written) = untold().await;
    let app = scene.world.propagate(&scene.process().await, true);
    // Records come twice, and in any order.
    for event in written.iter().chain(written.iter().rev()) {
        let response = propagate::handle(event.clone(), &app).await.unwrap();
        assert!(response.batch_item_failures.is_empty());
    }
    let process = scene.process().await;
    let failing = scene.reads_fail();
    scene.ask(&process).await.refused(401, "unauthenticated");
    failing.end();
    // It has read the version by now: that the cache has it too is for it to see to.
    scene.server.flush().await.unwrap();
    for event in written {
        propagate::handle(event, &app).await.unwrap();
    }
    assert!(scene.has(&scene.version_key(2)).await && scene.has(&scene.ref_key()).await);
    let other = Scene { key: scene.world.key("support", "resolver").await, ..scene };
    assert_eq!(other.see(&other.process().await).await, seen("cache", 0, "two"));
}

#[tokio::test]
async fn a_cache_that_does_not_answer_fails_no_record() {
    let (scene, written) = untold().await;
    let way = TcpProxy::start(scene.server.address()).unwrap();
    way.set(Behaviour::Blackhole);
    let process = scene.process_at(format!("redis://{}", way.address())).await;
    let app = scene.world.propagate(&process, true);
    let before = archived(&scene).await;
    for event in written {
        let response = propagate::handle(event, &app).await.unwrap();
        assert!(response.batch_item_failures.is_empty());
    }
    assert_eq!(archived(&scene).await, before + 2, "a version was made, and promoted");
}

#[tokio::test]
async fn nothing_reaches_the_cache_before_the_archive_and_all_of_it_comes_again() {
    let (scene, written) = untold().await;
    let app = scene.world.propagate(&scene.process().await, false);
    for event in written {
        let first = event.records[0].change.sequence_number.clone();
        let response = propagate::handle(event, &app).await.unwrap();
        let again: Vec<_> =
            response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        assert_eq!(again, [first]);
    }
    assert_eq!(scene.cache_says().await, seen("cache", 0, "one"));
}
