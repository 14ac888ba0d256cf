//! Resolves in figures: those of a prompt and those of its team.

use domain::metric::Resolves;
use e2e::{World, text};
use serde_json::json;

use super::read;

#[tokio::test]
async fn resolves_are_shown_of_a_prompt_and_of_its_team_and_rank_nobody() {
    let world = World::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "Hello" })).await;
    world.promote(&prompt, &version, "production").await.expect(200);
    let registry = world.registry();
    let id = text(&prompt["prompt_id"]).parse().unwrap();
    let live = registry.store.reference(id, &domain::name::production()).await.unwrap().unwrap();
    let mut resolves = Resolves::default();
    for _ in 0..3 {
        resolves.count(&live, text(&version["version_id"]).parse().unwrap(), registry.sources.now());
    }
    let applied = registry.store.apply(&resolves.take(&registry.sources), &registry.sources).await;
    assert!(applied.outcomes.iter().all(Result::is_ok), "{:?}", applied.outcomes);
    let key = world.key("a", "resolver").await;
    let path = format!("/api/prompts/{}/metrics?bucket=day", text(&prompt["prompt_id"]));
    let of_prompt = read(&world, &key, &path).await.expect(200);
    assert_eq!((&of_prompt["data"][0]["resolves"], &of_prompt["data"][0]["calls"]), (&json!(3), &json!(0)));
    let of_team = read(&world, &key, "/api/teams/a/metrics").await.expect(200);
    assert_eq!(
        of_team["data"],
        json!([{
            "bucket_start": "2026-11-20T00:00:00.000Z", "prompt_id": prompt["prompt_id"], "calls": 0, "resolves": 3,
            "error_rate": null, "input_tokens": 0, "output_tokens": 0, "tokens_per_call": null, "cost_usd": 0.0,
            "rating": null,
        }])
    );
    let ranked = read(&world, &key, "/api/metrics/summary").await.expect(200);
    assert_eq!((&ranked["data"], &ranked["prompts_left_out"]), (&json!([]), &json!(0)));
}
