//! Blind ratings: nobody sees whose answer is whose, and each word counts once.

use crate::{
    browser::{Browser, hidden, location},
    scene::Scene,
};

#[tokio::test]
async fn answers_are_compared_without_seeing_whose_they_are() {
    let scene = Scene::of("words").await;
    let browser = Browser::of_admin(&scene.world).await;
    let experiment = format!("/console/experiments/{}", scene.experiment);
    let path = format!("{experiment}/rate");
    assert!(browser.page(&experiment).await.contains("Nobody compared answers yet"));
    for judged in 0..4 {
        let page = browser.page(&path).await;
        assert!(page.contains(&format!("{judged} judged, {} left", 4 - judged)), "{page}");
        assert!(!page.contains("version 1") && !page.contains("version 2"), "{page}");
        let (first, second) = (page.find("v1 words").unwrap(), page.find("v2 words").unwrap());
        let choice = if second < first { "left" } else { "right" };
        let case = hidden(&page, "case_id");
        for _ in 0..2 {
            let fields = [("case_id", case.as_str()), ("choice", choice)];
            assert_eq!(location(&browser.submit(&path, &fields).await), path);
        }
    }
    assert!(browser.page(&path).await.contains("Nothing is left to compare"));
    let page = browser.page(&experiment).await;
    for wanted in ["A was better in 0 of 4 pairs", "B was better in 4 of 4 pairs", "Judged by 1 person"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let refused = browser.submit(&path, &[("case_id", "none"), ("choice", "left")]).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
}
