//! What people are told of moves: which of them no gate let through, and how long each takes to be seen.

use aws_lambda_events::event::dynamodb::Event;
use domain::Figure;
use e2e::{Raised, World};
use serde_json::{Value, json};

use crate::support::{lived, promotion, versions};

/// Lets `propagate` see what was written since the last time.
async fn propagated(world: &World) {
    let app = world.propagate(&world.process, true);
    for event in world.written().await {
        let response = propagate::handle(event, &app).await.unwrap();
        assert!(response.batch_item_failures.is_empty());
    }
}

#[tokio::test]
async fn people_are_called_for_a_promotion_that_no_gate_let_through() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "staging", 2).await;
    let raised = Raised::listen();
    propagated(&world).await;
    assert_eq!(raised.names(), [""; 0], "staging has no gate");
    world.promote(&prompt, &versions[0], "production").await.expect(200);
    propagated(&world).await;
    assert_eq!(raised.names(), ["ungated-promotion"], "its gate is off");
    world.promote(&prompt, &versions[1], "production").await.expect(200);
    world.roll_back(&prompt, "production").await.expect(200);
    propagated(&world).await;
    assert_eq!(raised.names(), ["ungated-promotion"; 2], "a rollback asks no gate");
}

#[tokio::test]
async fn people_are_called_for_a_promotion_by_which_an_admin_passes_the_gate() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({ "gate": { "mode": "required" } })).await;
    let version = &versions(&world, &prompt, 1).await[0];
    let raised = Raised::listen();
    let refused = world.admin(promotion(&prompt, version, "production", &json!({}))).await;
    refused.refused(409, "not-evaluated");
    propagated(&world).await;
    assert_eq!(raised.names(), [""; 0], "what was refused went nowhere");
    let overriding = json!({ "override": { "reason": "the house burns" } });
    world.admin(promotion(&prompt, version, "production", &overriding)).await.expect(200);
    propagated(&world).await;
    assert_eq!(raised.names(), ["ungated-promotion"]);
}

#[tokio::test]
async fn each_move_tells_how_long_it_takes_to_be_seen_by_everybody() {
    let world = World::start().await;
    let raised = Raised::listen();
    let (prompt, _) = lived(&world, "greeter", "production", 2).await;
    world.roll_back(&prompt, "production").await.expect(200);
    // Without a cache, whoever knows the former one asks again within 750 ms.
    assert_eq!(raised.values(Figure::Propagation), [750; 3]);
}

#[tokio::test]
async fn what_the_stream_brings_tells_how_old_it_is() {
    let world = World::start().await;
    lived(&world, "greeter", "staging", 1).await;
    let raised = Raised::listen();
    let app = world.propagate(&world.process, true);
    let now = world.registry().sources.now().as_millis();
    let written: Vec<Event> = world.written().await;
    for event in &written {
        let mut event: Value = serde_json::to_value(event).unwrap();
        for (at, record) in event["Records"].as_array_mut().unwrap().iter_mut().enumerate() {
            // Those after the first have hardly waited.
            let second = now / 1000 - if at == 0 { 5 } else { 0 };
            record["dynamodb"]["ApproximateCreationDateTime"] = json!(second);
        }
        propagate::handle(serde_json::from_value(event).unwrap(), &app).await.unwrap();
    }
    let lag = u64::try_from(5000 + now % 1000).unwrap();
    assert_eq!(raised.values(Figure::CatchUp), vec![lag; written.len()]);
}
