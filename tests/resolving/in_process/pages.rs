//! The snapshot as it is told: pages, tags, and whose prompts.

use e2e::{ADMIN, Call, text};
use serde_json::{Value, json};

use super::{Beside, by_hand};
use crate::scene::Scene;

const PATH: &str = "/api/resolve:snapshot";

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again_and_still_says_its_age() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let other = scene.world.another_process().await;
    let ask = async |tag: &str| {
        Call::get(PATH).key(&scene.key).header("if-none-match", tag).send(&other.router).await
    };
    let first = ask("\"none\"").await;
    first.expect(200);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"'));
    scene.world.clock.advance(std::time::Duration::from_millis(200));
    let again = ask(&tag).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    assert_eq!(again.header("cuecard-age-ms"), "200");
    scene.greeter("another").await;
    ask(&tag).await.expect(200);
}

#[tokio::test]
async fn pages_hold_all_names_and_tags_are_the_same_each_time() {
    let scene = Scene::start().await;
    for number in 0..5 {
        scene.greeter(&format!("greeter-{number}")).await;
    }
    let renamed = scene.greeter("before").await;
    let path = format!("/api/prompts/{}", text(&renamed["prompt_id"]));
    scene.world.admin(Call::patch(path, &json!({ "name": "after" }))).await.expect(200);
    let walk = async || {
        let (mut names, mut tags, mut cursor) = (Vec::new(), Vec::new(), String::new());
        loop {
            let page = scene.call(Call::get(format!("{PATH}?limit=2{cursor}"))).await;
            tags.push(page.header("etag").to_owned());
            let page = page.expect(200);
            assert!(page["versions"].as_array().unwrap().len() <= 2);
            names.extend(
                page["data"].as_array().unwrap().iter().map(|entry| text(&entry["alias"]).to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return (names, tags),
            }
        }
    };
    let (names, tags) = walk().await;
    let numbered = (0..5).map(|number| format!("greeter-{number}"));
    let expected: Vec<_> = ["after", "before"].map(str::to_owned).into_iter().chain(numbered).collect();
    assert_eq!(names, expected);
    for _ in 0..5 {
        assert_eq!(walk().await.1, tags);
    }
}

#[tokio::test]
async fn a_resolver_reads_more_prompts_than_a_page_has() {
    let beside = Beside::start().await;
    for number in 0..205 {
        beside.scene.world.prompt("support", &format!("prompt-{number:03}"), &json!({})).await;
    }
    beside.scene.greeter("the-last").await;
    let resolver = beside.resolver(by_hand()).await.unwrap();
    assert_eq!(resolver.status().prompts, 206);
    resolver.resolve("the-last", &domain::allocation::Unit::NOBODY, &super::ada()).unwrap();
    beside.scene.greeter("zzz").await;
    resolver.refresh().await.unwrap();
    assert_eq!(resolver.status().prompts, 207);
}

#[tokio::test]
async fn a_page_has_4_mib_at_most() {
    let scene = Scene::start().await;
    let text = "a".repeat(100 << 10);
    for number in 0..24 {
        let content = json!({ "template_text": text, "system_prompt": text });
        scene.live(&format!("large-{number}"), &content.to_string()).await;
    }
    let answer = scene.call(Call::get(format!("{PATH}?limit=100"))).await;
    let page = answer.expect(200);
    assert!(answer.body.len() <= 4 << 20 && page["next_cursor"].is_string(), "{}", answer.body.len());
}

#[tokio::test]
async fn whose_prompts_are_meant_is_the_key_s_team_unless_it_sees_more() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let named = |page: Value| page["data"].as_array().unwrap().len();
    assert_eq!(named(scene.call(Call::get(PATH)).await.expect(200)), 1);
    let problem = scene.world.admin(Call::get(PATH)).await.refused(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/team_id");
    let of = |team: &str| Call::get(format!("{PATH}?team_id={team}"));
    assert_eq!(named(scene.world.call(of("support").key(ADMIN)).await.expect(200)), 1);
    let stranger = scene.world.key("others", "releaser").await;
    assert_eq!(named(scene.world.call(of("support").key(&stranger)).await.expect(200)), 0);
    let staging = scene.call(Call::get(format!("{PATH}?env=staging"))).await.expect(200);
    assert_eq!((&staging["data"][0]["version_id"], &staging["versions"]), (&Value::Null, &json!([])));
}
