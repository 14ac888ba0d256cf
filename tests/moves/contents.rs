//! The export of one prompt, which may have any size, with what its versions say.

use domain::audit::export::{Verified, rest, verify};
use e2e::{Call, World, text};
use serde_json::{Value, json};

/// More text than one answer holds, in versions of 90 kB.
const VERSIONS: u64 = 40;

/// The most that an answer on Lambda holds.
const MOST: usize = 6_000_000;

async fn written(world: &World, prompt: &Value, number: u64) {
    // Of quotes each answer is longest: on Lambda it is a text within JSON.
    let template = format!("text {number} {}", "\"".repeat(45_000));
    world.version(prompt, &json!({ "template_text": template })).await;
}

async fn answer(world: &World, prompt: &Value, more: &str) -> String {
    let path = format!("/api/audit/export?include=versions&prompt_id={}{more}", text(&prompt["prompt_id"]));
    let answer = world.admin(Call::get(path)).await;
    answer.expect(200);
    answer.text()
}

#[tokio::test]
async fn a_prompt_of_any_size_comes_in_answers_that_verify_together() {
    let world = World::start().await;
    let prompt = world.prompt("support", "large", &json!({})).await;
    for number in 1..=VERSIONS {
        written(&world, &prompt, number).await;
    }
    let mut answers = vec![answer(&world, &prompt, "").await];
    written(&world, &prompt, VERSIONS + 1).await;
    while let Some(cursor) = rest(answers.last().unwrap()) {
        answers.push(answer(&world, &prompt, &format!("&cursor={cursor}")).await);
    }
    let fits = |answer: &String| serde_json::to_string(answer).unwrap().len() < MOST;
    assert!(answers.len() > 2 && answers.iter().all(fits), "{}", answers.len());
    let whole = answers.concat();
    let (entries, versions) = (VERSIONS + 1, VERSIONS);
    assert_eq!(verify(&whole), Ok(Verified { chains: 1, entries, versions }), "as it was at first");
    assert!(verify(&answers[0]).unwrap_err().to_string().ends_with("it goes on, and the rest is missing"));
    let altered = verify(&whole.replacen("text 7 ", "text 8 ", 1)).unwrap_err().to_string();
    assert!(altered.contains("the content of ver_") && altered.contains("was altered"), "{altered}");
}

#[tokio::test]
async fn what_versions_say_and_further_answers_are_of_one_prompt() {
    let world = World::start().await;
    let prompt = world.prompt("support", "small", &json!({})).await;
    written(&world, &prompt, 1).await;
    let export = answer(&world, &prompt, "").await;
    assert_eq!(verify(&export), Ok(Verified { chains: 1, entries: 2, versions: 1 }));
    for query in ["include=versions", "cursor=1.abc", "include=runs", "prompt_id=small&cursor=abc"] {
        world.admin(Call::get(format!("/api/audit/export?{query}"))).await.refused(422, "invalid");
    }
}
