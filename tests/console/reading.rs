//! What lies further back, or behind a page, is read too: older versions, the newest of many weights, what a case asks.

use domain::{
    Caller, ExperimentId, PromptId,
    audit::{Action, Fact},
    trial::Weights,
};
use e2e::{World, text};
use regex::Regex;
use serde_json::json;
use store::Change;

use crate::{browser::Browser, scene::Scene};

#[tokio::test]
async fn older_versions_are_on_further_pages() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    for number in 1..=21 {
        world.version(&prompt, &json!({ "template_text": format!("text {number}") })).await;
    }
    let browser = Browser::of_admin(&world).await;
    let page = browser.page(&format!("/console/prompts/{}", text(&prompt["prompt_id"]))).await;
    assert!(page.contains("version 21</a>") && !page.contains("version 1</a>"), "{page}");
    let more = Regex::new(r##"href="([^"#]*\?cursor=[^"#]*)#versions""##).unwrap();
    let page = browser.page(&more.captures(&page).unwrap()[1]).await;
    assert!(page.contains("version 1</a>") && !page.contains("version 21</a>"), "{page}");
}

#[tokio::test]
async fn an_experiment_shows_its_newest_weights_however_many_there_were() {
    let scene = Scene::of("words").await;
    let registry = scene.world.registry();
    let prompt_id: PromptId = scene.prompt_id().parse().unwrap();
    let id: ExperimentId = scene.experiment.parse().unwrap();
    let first = registry.store.weights(id.into()).await.unwrap().remove(0);
    for some in [1..=60_u64, 61..=120] {
        let prompt = registry.store.prompt(prompt_id).await.unwrap().unwrap();
        let fact = Fact::new(&Caller::system("steer").actor, Action::ExperimentReweighted, id);
        let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &registry.sources).unwrap();
        for later in some {
            let allocation_version = first.allocation_version + later;
            let reasons = vec![format!("reason {later}.")];
            change.put_weights(&Weights { allocation_version, reasons, ..first.clone() }).unwrap();
        }
        registry.store.commit(change).await.unwrap();
    }
    let browser = Browser::of_admin(&scene.world).await;
    let page = browser.page(&format!("/console/experiments/{id}")).await;
    for (number, shown) in [(120, true), (111, true), (110, false), (100, false)] {
        assert_eq!(page.contains(&format!("reason {number}.")), shown, "{number}: {page}");
    }
}

#[tokio::test]
async fn an_export_that_would_not_be_all_is_refused_where_it_was_asked_for() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let prompt_id: PromptId = text(&prompt["prompt_id"]).parse().unwrap();
    let browser = Browser::of_admin(&world).await;
    let export = format!("/console/audit/export?prompt={prompt_id}");
    let whole = browser.get(&export).await;
    assert_eq!((whole.status.as_u16(), whole.header("content-type")), (200, "application/jsonl"));
    let registry = world.registry();
    for _ in 0..140 {
        let prompt = registry.store.prompt(prompt_id).await.unwrap().unwrap();
        let mut fact = Fact::new(&Caller::system("test").actor, Action::PromptUpdated, prompt_id);
        fact.evidence = json!("x".repeat(32 * 1024));
        let change = Change::of_prompt(&prompt, prompt.clone(), fact, &registry.sources).unwrap();
        registry.store.commit(change).await.unwrap();
    }
    let refused = browser.get(&export).await;
    assert_eq!(refused.status, 413, "{}", refused.header("content-type"));
    let page = refused.text();
    assert!(
        page.contains("<h1>Audit</h1>") && page.contains("cuecard audit export &lt;prompt&gt;"),
        "{page}"
    );
}

#[tokio::test]
async fn a_case_shows_what_was_asked() {
    let scene = Scene::of("words").await;
    let browser = Browser::of_admin(&scene.world).await;
    let page = browser.page(&format!("/console/runs/{}?outcome=all", scene.run)).await;
    for at in 0..4 {
        let asked = format!("<summary>Asked</summary>message: words {at}</details>");
        assert!(page.contains(&asked), "{asked}: {page}");
    }
}
