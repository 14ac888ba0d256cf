//! Sessions: how one begins and ends, and who cannot take or use another's.

use std::time::Duration;

use axum::http::Method;
use e2e::{ADMIN, Call, World, text};
use serde_json::json;

use crate::browser::{Browser, hidden, location};

#[tokio::test]
async fn a_key_opens_a_session_that_scripts_cannot_read() {
    let world = World::start().await;
    let mut browser = Browser::new(&world.process.router);
    let asked = browser.get("/console/prompts?q=a").await;
    assert_eq!(location(&asked), "/console/sign-in?next=%2Fconsole%2Fprompts%3Fq%3Da");
    let wrong = browser.sign_in("cue_admin_wrong").await;
    assert_eq!(wrong.status, 401);
    assert!(
        wrong.text().contains("no live key") && !wrong.text().contains("cue_admin_wrong"),
        "{}",
        wrong.text()
    );
    let entered = browser.sign_in(ADMIN).await;
    let cookie = entered.header("set-cookie");
    for wanted in ["HttpOnly", "SameSite=Lax", "Path=/console", "Max-Age=43200"] {
        assert!(cookie.contains(wanted), "{cookie}");
    }
    assert!(!cookie.contains(ADMIN) && !cookie.contains("Secure"), "{cookie}");
    assert!(browser.page("/console").await.contains("Sign out"));
}

#[tokio::test]
async fn the_cookie_is_for_tls_alone_where_the_browser_came_by_it() {
    let world = World::start().await;
    let call = Call::new(Method::POST, "/console/sign-in").header("x-forwarded-proto", "https");
    let answer = Browser::new(&world.process.router).send(call, &[("key", ADMIN)]).await;
    assert!(answer.header("set-cookie").contains("; Secure"), "{}", answer.header("set-cookie"));
}

#[tokio::test]
async fn one_comes_to_the_page_that_one_wanted_and_to_no_other_site() {
    let world = World::start().await;
    let browser = Browser::new(&world.process.router);
    for (next, there) in [
        ("/console/prompts?q=a", "/console/prompts?q=a"),
        ("https://evil.example/console", "/console"),
        ("//evil.example", "/console"),
        ("/console\\evil", "/console"),
        ("/consoles", "/console"),
        ("javascript:alert(1)", "/console"),
    ] {
        let call = Call::new(Method::POST, "/console/sign-in");
        let answer = browser.send(call, &[("key", ADMIN), ("next", next)]).await;
        assert_eq!(location(&answer), there, "{next}");
    }
}

#[tokio::test]
async fn a_session_is_new_at_each_sign_in_and_the_one_before_is_gone() {
    let world = World::start().await;
    let mut browser = Browser::of_admin(&world).await;
    let before = browser.cookie().to_owned();
    // Somebody who put a session into another's browser does not share the one that begins there.
    browser.sign_in(ADMIN).await;
    assert_ne!(browser.cookie(), before);
    let mut other = Browser::new(&world.process.router);
    other.take(&before);
    assert_eq!(other.get("/console").await.status, 303);
    let mut chosen = Browser::new(&world.process.router);
    chosen.take(&format!("cuecard_session={}", "a".repeat(64)));
    assert_eq!(chosen.get("/console").await.status, 303);
    chosen.sign_in(ADMIN).await;
    assert!(!chosen.cookie().contains("aaaa"));
}

#[tokio::test]
async fn a_session_ends_by_itself_with_its_key_and_when_somebody_leaves() {
    let world = World::start().await;
    let body = json!({ "team_id": "support", "role": "author", "name": "Ann" });
    let key = world.admin(Call::post("/api/keys", &body)).await.expect(201);
    let browser = Browser::with_key(&world, text(&key["secret"])).await;
    browser.page("/console").await;
    world.admin(Call::delete(format!("/api/keys/{}", text(&key["key_id"])))).await.expect(200);
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(browser.get("/console").await.status, 303, "the key is revoked");

    let browser = Browser::of_admin(&world).await;
    assert_eq!(location(&browser.submit("/console/sign-out", &[]).await), "/console/sign-in");
    assert_eq!(browser.get("/console").await.status, 303, "the session was ended");

    let browser = Browser::of_admin(&world).await;
    world.clock.advance(Duration::from_hours(12));
    assert_eq!(browser.get("/console").await.status, 303, "the session has expired");
}

#[tokio::test]
async fn keys_that_open_nothing_cost_one_read_and_keep_nobody_out() {
    let world = World::start().await;
    let mut browser = Browser::of_admin(&world).await;
    let calls = || world.faults().all_calls().values().sum::<u64>();
    let before = calls();
    for number in 0..50 {
        for owner in ["admin", "nobody"] {
            let wrong = browser.sign_in(&format!("cue_{owner}_secret-number-{number}")).await;
            assert_eq!(wrong.status, 401, "{}", wrong.text());
        }
    }
    assert_eq!(calls(), before + 1, "it is asked once whether there is a key `nobody`");
    assert_eq!(browser.sign_in(ADMIN).await.status, 303);
}

#[tokio::test]
async fn a_key_that_only_resolves_opens_no_console() {
    let world = World::start().await;
    let key = world.key("support", "resolver").await;
    let answer = Browser::new(&world.process.router).sign_in(&key).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("author"), "{}", answer.text());
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let world = World::start().await;
    let browser = Browser::of_admin(&world).await;
    let csrf = hidden(&browser.page("/console/prompts/new").await, "csrf");
    let other = hidden(&Browser::of_admin(&world).await.page("/console/prompts/new").await, "csrf");
    let fields = |csrf| [("csrf", csrf), ("name", "forged"), ("team_id", "support")];
    let call = || Call::new(Method::POST, "/console/prompts/new");
    for forged in ["", "x", other.as_str()] {
        assert_eq!(browser.send(call(), &fields(forged)).await.status, 403, "{forged}");
    }
    let without = [("name", "forged"), ("team_id", "support")];
    assert_eq!(browser.send(call(), &without).await.status, 403);
    for site in ["cross-site", "same-site"] {
        let answer = browser.send(call().header("sec-fetch-site", site), &fields(&csrf)).await;
        assert_eq!(answer.status, 403, "{site}");
    }
    let sign_in = Call::new(Method::POST, "/console/sign-in").header("sec-fetch-site", "cross-site");
    assert_eq!(browser.send(sign_in, &[("key", ADMIN)]).await.status, 403);
    assert!(!browser.page("/console/prompts?status=all").await.contains("forged"));
    let own = call().header("sec-fetch-site", "same-origin");
    assert_eq!(browser.send(own, &fields(&csrf)).await.status, 303);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_does_its_work_once() {
    let world = World::start().await;
    let browser = Browser::of_admin(&world).await;
    let page = browser.page("/console/prompts/new").await;
    let (csrf, once) = (hidden(&page, "csrf"), hidden(&page, "once"));
    let fields =
        [("csrf", csrf.as_str()), ("once", once.as_str()), ("name", "greeter"), ("team_id", "support")];
    let send = || browser.send(Call::new(Method::POST, "/console/prompts/new"), &fields);
    let (first, second) = (location(&send().await), location(&send().await));
    assert_eq!(first, second);
}

#[tokio::test]
async fn no_page_is_framed_kept_or_asked_for_anything_from_elsewhere() {
    let world = World::start().await;
    let browser = Browser::of_admin(&world).await;
    for (path, status) in [
        ("/console", 200),
        ("/console/prompts/prm_none", 404),
        ("/console/sign-in", 200),
        ("/console/assets/console.js", 200),
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        let policy = answer.header("content-security-policy");
        for wanted in
            ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
        {
            assert!(policy.contains(wanted), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let kept = answer.header("cache-control");
        assert_eq!(kept.contains("immutable"), path.contains("assets"), "{path}: {kept}");
    }
}

#[tokio::test]
async fn a_foreign_teams_things_are_not_there() {
    let world = World::start().await;
    let prompt = world.prompt("growth", "secret-plan", &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "hello" })).await;
    let browser = Browser::with_key(&world, &world.key("support", "releaser").await).await;
    for path in [
        format!("/console/prompts/{}", text(&prompt["prompt_id"])),
        format!("/console/versions/{}", text(&version["version_id"])),
        format!("/console/versions/{}/promote", text(&version["version_id"])),
        format!("/console/prompts/{}/edit", text(&prompt["prompt_id"])),
    ] {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains("secret-plan"));
    }
    assert_eq!(browser.get("/console/keys").await.status, 403);
    assert!(!browser.page("/console/prompts?status=all").await.contains("secret-plan"));
}
