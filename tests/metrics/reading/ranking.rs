//! Prompts in order: what they cost, how they did, and what they would cost elsewhere.

use domain::metric::Values;
use e2e::{Call, World, text};
use serde_json::json;

use super::{alike, read, told};

#[tokio::test]
async fn prompts_are_ranked_by_what_is_asked_for_and_priced_on_every_model() {
    let world = World::start().await;
    let model = json!({ "provider": "openai", "input_usd_per_mtok": 0.15, "output_usd_per_mtok": 0.6 });
    world.admin(Call::put("/api/models/acme%2Fsmall", &model)).await.expect(200);
    let of = async |name: &str, event: &dyn Fn(usize) -> Values| told(&world, "a", name, event).await;
    // 400 calls each: a dear one; one of two days and two ratings; one that fails, nobody rates, and was called more
    // than a week ago too.
    of("dear", &|_| alike("2026-11-20", 7_000_000, Some(5), false)).await;
    of("old", &|at| alike(["2026-11-14", "2026-11-13"][at % 2], 1_000, Some([1, 5][at % 2]), at < 40)).await;
    let failing =
        of("failing", &|at| alike(["2026-11-19", "2026-11-10"][at % 4 / 3], 2_000_000, None, at % 4 == 0))
            .await;
    let key = world.key("a", "resolver").await;
    let ranked = async |query: &str| {
        let shown = read(&world, &key, &format!("/api/metrics/summary?{query}")).await.expect(200);
        assert_eq!(shown["prompts_left_out"], 0);
        let names = shown["data"].as_array().unwrap().iter().map(|row| text(&row["name"]).to_owned());
        (names.collect::<Vec<_>>().join(" "), shown)
    };
    for (query, names) in [
        ("", "dear failing old"),
        ("sort=cost&days=8", "dear failing old"),
        ("sort=calls", "dear failing old"),
        ("sort=errors&days=8", "failing old dear"),
        ("sort=rating&days=8", "old dear failing"),
        ("sort=rating&days=1", "dear"),
    ] {
        assert_eq!(ranked(query).await.0, names, "{query}");
    }
    let (_, shown) = ranked("sort=errors").await;
    assert_eq!(
        (&shown["from"], &shown["to"]),
        (&json!("2026-11-14T00:00:00.000Z"), &json!("2026-11-21T00:00:00.000Z"))
    );
    assert_eq!(
        shown["data"][0],
        json!({
            "prompt_id": failing.prompt["prompt_id"], "name": "failing", "team_id": "a", "calls": 300, "errors": 100,
            "error_rate": 1.0 / 3.0, "input_tokens": 300_000, "output_tokens": 3_000, "cost_usd": 0.6,
            // 0.6 / 7, and (0.3 · 0.15 + 0.003 · 0.6) / 7.
            "cost_usd_per_day": 0.085_714_286, "rating": null,
            "on_other_models": [{ "model_id": "acme/small", "cost_usd_per_day": 0.006_685_714 }],
        })
    );
}
