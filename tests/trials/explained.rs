//! Why a resolve got its version.

use e2e::{Call, text};
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn a_token_tells_the_rule_the_weights_and_what_the_unit_drew() {
    let stage = Stage::new(2).await;
    let alone = stage.resolve("ann").await;
    let explain = |token: &str, more: &str| format!("/api/explain?resolution_token={token}{more}");
    let before = stage.get(&explain(text(&alone["resolution_token"]), "")).await;
    assert_eq!((&before["experiment_id"], &before["weights"]), (&json!(null), &json!(null)));
    assert_eq!(before["version_id"], stage.versions[0]["version_id"]);

    let weighted = json!({ "variants": [
        { "version_id": stage.id(0), "traffic_weight": 0.25 }, { "version_id": stage.id(1), "traffic_weight": 0.75 },
    ] });
    let running = stage.try_experiment(&weighted).await.expect(201);
    stage.world.clock.advance(std::time::Duration::from_secs(1));
    for user in ["ann", "bob", "юзер"] {
        let encoded = user.replace("юзер", "%D1%8E%D0%B7%D0%B5%D1%80");
        let served = stage.resolve(&encoded).await;
        let token = text(&served["resolution_token"]);
        let told = stage.get(&explain(token, &format!("&unit={encoded}"))).await;
        assert_eq!(told["experiment_id"], running["experiment_id"]);
        assert_eq!((&told["variant"], &told["unit_kind"]), (&served["variant"], &json!("user")));
        assert_eq!((&told["iteration"], &told["weights"]["allocation_version"]), (&json!(1), &json!(1)));
        let distance = |at: usize| {
            let (drawn, weight) = (&told["draws"][at], &told["weights"]["weights"][at]["traffic_weight"]);
            -drawn.as_f64().unwrap().ln() / weight.as_f64().unwrap()
        };
        let nearest = if distance(0) < distance(1) { "A" } else { "B" };
        assert_eq!(served["variant"], nearest, "{told}");
        let other = stage.world.admin(Call::get(explain(token, "&unit=somebody"))).await;
        assert_eq!(other.refused(422, "invalid")["errors"][0]["pointer"], "/unit");
    }
}

#[tokio::test]
async fn a_token_that_is_none_and_one_of_a_foreign_team_say_nothing() {
    let stage = Stage::new(1).await;
    let token = stage.resolve("ann").await["resolution_token"].clone();
    let garbage = stage.world.admin(Call::get("/api/explain?resolution_token=garbage")).await;
    assert_eq!(garbage.refused(422, "invalid")["errors"][0]["pointer"], "/resolution_token");
    let foreign = stage.world.key("growth", "author").await;
    let path = format!("/api/explain?resolution_token={}", text(&token));
    stage.world.call(Call::get(path).key(&foreign)).await.refused(404, "no-such-prompt");
}
