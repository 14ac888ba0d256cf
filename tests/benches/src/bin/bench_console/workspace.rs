//! A workspace as a company has it.

use std::time::Duration;

use e2e::{
    Call, Dice, World, WorldSettings,
    metrics::call_values,
    report::{Progress, line},
    text,
};
use serde_json::{Value, json};

use crate::Outcome;

const TEAMS: usize = 20;

/// How often a day each version's calls are reported.
const REPORTS: u32 = 4;

/// The most events of a request.
const MOST_EVENTS: usize = 500;

/// Prompts of two versions, the first of them live and one in ten tried beside the second, with calls reported over
/// so many days, which end now.
pub(crate) async fn filled(prompts: usize, days: u32, seed: u64) -> Outcome<World> {
    let model = json!({
        "model_id": "test/model", "provider": "openai", "base_url": "http://127.0.0.1:9",
        "input_usd_per_mtok": 1, "output_usd_per_mtok": 2,
    });
    let builtin = vec![serde_json::from_value(model)?];
    let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
    line(&format!("writes {prompts} prompts"));
    let mut progress = Progress::begin();
    let mut versions = Vec::new();
    for number in 0..prompts {
        versions.push(live(&world, number).await);
        progress.tell(|| format!("{number} prompts"));
    }
    line(&format!("reports calls of {days} days"));
    let dice = Dice::new(seed);
    for day in 0..days {
        for _ in 0..REPORTS {
            world.clock.advance(Duration::from_hours(24) / REPORTS);
            report(&world, &versions, &dice).await;
        }
        progress.tell(|| format!("{day} days"));
    }
    Ok(world)
}

/// A prompt; its live version.
async fn live(world: &World, number: usize) -> Value {
    let more = json!({ "description": "Answers what customers ask", "tags": ["answers"] });
    let prompt = world.prompt(&format!("team-{}", number % TEAMS), &format!("prompt-{number}"), &more).await;
    let words = "Answer kindly and shortly. ".repeat(40);
    let first =
        world.version(&prompt, &json!({ "template_text": format!("{words}{{{{ message }}}}") })).await;
    let again = format!("{words}Never promise. {{{{ message }}}}");
    let second = world.version(&prompt, &json!({ "template_text": again, "note": "Promise less" })).await;
    for environment in ["staging", "production"] {
        world.promote(&prompt, &first, environment).await.expect(200);
    }
    if number.is_multiple_of(10) {
        let variants = [&first, &second].map(|version| json!({ "version_id": version["version_id"] }));
        let path = format!("/api/prompts/{}/experiments", text(&prompt["prompt_id"]));
        world.admin(Call::post(path, &json!({ "variants": variants }))).await.expect(201);
    }
    first["version_id"].clone()
}

/// A call of each version, counted.
async fn report(world: &World, versions: &[Value], dice: &Dice) {
    for some in versions.chunks(MOST_EVENTS) {
        let event = |version: &Value| {
            let mut event = call_values(dice);
            event["version_id"] = version.clone();
            event["environment"] = "production".into();
            event
        };
        let events: Vec<Value> = some.iter().map(event).collect();
        world.admin(Call::post("/api/metrics", &json!({ "events": events }))).await.expect(202);
    }
    while world.step_metrics().await > 0 {}
}
