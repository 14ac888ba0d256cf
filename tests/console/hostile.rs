//! Whatever people and models write is text on every page, and nothing in it is hidden.

use axum::http::Method;
use e2e::Call;

use crate::{
    browser::{Browser, hidden},
    crawl::crawl,
    scene::Scene,
};

/// Markup, a link that runs, quotes that end attributes, text that turns around, and text without width.
const SAYS: &str =
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'> javascript:alert(3) \u{202e}gnp\u{200b}";

fn is_text(path: &str, page: &str) {
    // Fields of forms hold what they are given, as it is: there only escaping counts.
    let keeps = ["/edit", "/settings", "/rate", "?"].iter().any(|part| path.contains(part));
    assert_eq!(page.matches("<script").count(), 1, "{path}");
    for bad in ["<img", "href=\"javascript", "action=\"javascript", "onerror=alert(2)>"] {
        assert!(!page.contains(bad), "{path} holds {bad}");
    }
    if !keeps {
        assert!(!page.contains('\u{202e}') && !page.contains('\u{200b}'), "{path} hides something");
    }
}

#[tokio::test]
async fn hostile_texts_are_shown_as_text_on_every_page() {
    let scene = Scene::of(SAYS).await;
    let browser = Browser::of_admin(&scene.world).await;
    crawl(&browser, is_text).await;
    let prompt = browser.page(&format!("/console/prompts/{}", scene.prompt_id())).await;
    assert!(prompt.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{prompt}");
    assert!(prompt.contains("⟦U+202E⟧gnp⟦U+200B⟧"), "{prompt}");
    let run = browser.page(&format!("/console/runs/{}?outcome=all", scene.run)).await;
    assert!(run.contains("javascript:alert(3) ⟦U+202E⟧gnp⟦U+200B⟧ 0"), "{run}");
}

#[tokio::test]
async fn the_editor_keeps_a_text_as_it_is_and_says_what_cannot_be_seen() {
    let scene = Scene::of(SAYS).await;
    let browser = Browser::of_admin(&scene.world).await;
    let page = browser.page(&format!("/console/prompts/{}/edit", scene.prompt_id())).await;
    assert!(page.contains("javascript:alert(3) \u{202e}gnp\u{200b}</textarea>"), "{page}");
    assert!(page.contains("cannot be seen: U+200B, U+202E"), "{page}");
}

#[tokio::test]
async fn what_a_form_refuses_is_given_back_as_text() {
    let scene = Scene::of("words").await;
    let browser = Browser::of_admin(&scene.world).await;
    let page = browser.page("/console/prompts/new").await;
    let csrf = hidden(&page, "csrf");
    let fields =
        [("csrf", csrf.as_str()), ("name", "prm_x"), ("team_id", "\"><script>x</script>"), ("tags", SAYS)];
    let answer = browser.send(Call::new(Method::POST, "/console/prompts/new"), &fields).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert_eq!(page.matches("<script").count(), 1, "{page}");
    assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;x&lt;/script&gt;\""), "{page}");
}

#[tokio::test]
async fn what_a_model_answers_a_trial_is_text() {
    let scene = Scene::of("words").await;
    let browser = Browser::of_admin(&scene.world).await;
    let fields = [
        ("kind", "text"),
        ("template_text", "{{ message }}"),
        ("model_id", "test/model"),
        ("value:message", SAYS),
    ];
    let answer = browser.submit("/console/try", &fields).await;
    assert_eq!(answer.status, 200);
    let page = answer.text();
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script"), "{page}");
    assert!(page.contains("⟦U+202E⟧"), "{page}");
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
}
