//! Cases that are added one by one, and the table of versions and models.

use e2e::{Call, text};
use serde_json::{Value, json};

use crate::api::{self, at};

async fn cases(world: &e2e::World, set: &str) -> String {
    let answer = world.admin(Call::get(format!("/api/test-sets/{set}/cases"))).await;
    answer.text()
}

#[tokio::test]
async fn a_tried_input_is_saved_as_a_case_and_nothing_is_lost_among_others() {
    let world = api::start().await;
    let set = api::test_set(&world, "a").await;
    let path = format!("/api/test-sets/{set}/cases");
    let case = |message: &str| json!({ "vars": { "message": message }, "expected": "yes" });
    let first = world.admin(Call::post(&path, &case("first"))).await.expect(201);
    assert_eq!((&first["version"], &first["cases"]), (&json!(1), &json!(1)));
    let add = |message: &'static str| world.admin(Call::post(&path, &case(message)));
    let made = futures_util::future::join_all(["a", "b", "c", "d"].map(add)).await;
    for answer in made {
        answer.expect(201);
    }
    let kept = cases(&world, &set).await;
    let lines: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut messages: Vec<&str> = lines.iter().map(|case| text(&case["vars"]["message"])).collect();
    messages.sort_unstable();
    assert_eq!(messages, ["a", "b", "c", "d", "first"]);

    let pretty = "{\n  \"vars\": {\"price\": 1.50},\n  \"expected\": \"x\"\n}";
    let call = Call::new(axum::http::Method::POST, &path).bytes("application/json", pretty);
    world.admin(call).await.expect(201);
    assert!(
        cases(&world, &set).await.ends_with("{   \"vars\": {\"price\": 1.50},   \"expected\": \"x\" }\n")
    );

    let wrong = json!({ "vars": {}, "assert": [{ "type": "python", "value": "1" }] });
    let refused = world.admin(Call::post(&path, &wrong)).await.refused(422, "invalid");
    assert!(text(&refused["detail"]).contains("runs code"), "{refused}");
    let once = Call::post(&path, &case("once")).header("idempotency-key", "k");
    let made = world.admin(once.clone()).await.expect(201);
    assert_eq!(world.admin(once).await.expect(201), made, "a retry adds nothing");
    assert_eq!(cases(&world, &set).await.lines().count(), 7);
}

#[tokio::test]
async fn versions_and_models_are_one_table() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let empty = world.admin(Call::get(at(&prompt, "/models"))).await.expect(200);
    assert_eq!(empty, json!({ "models": [], "versions": [] }));
}
