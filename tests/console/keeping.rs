//! A form that its session cannot carry any more is given back as it was typed, and goes on only by somebody's hand.

use std::time::Duration;

use axum::http::Method;
use e2e::{ADMIN, Call, World};

use crate::browser::{Browser, hidden, location};

const PATH: &str = "/console/prompts/new";

/// A form as browsers send it from a page of ours.
fn ours() -> Call {
    Call::new(Method::POST, PATH).header("sec-fetch-site", "same-origin")
}

/// What is typed, with what proves the session.
fn form<'a>(csrf: &'a str, typed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("csrf", csrf)][..], typed].concat()
}

#[tokio::test]
async fn what_was_typed_before_the_session_ended_is_given_back_and_sent_again_by_hand() {
    let world = World::start().await;
    let mut browser = Browser::of_admin(&world).await;
    let page = browser.page(PATH).await;
    let (csrf, once) = (hidden(&page, "csrf"), hidden(&page, "once"));
    let typed = [
        ("once", once.as_str()),
        ("name", "greeter"),
        ("team_id", "support"),
        ("description", "Says <hello>\r\nand more"),
        ("tags", ""),
    ];
    let given_back = |page: &str| {
        for wanted in [
            "action=\"/console/prompts/new\"",
            "\ngreeter</textarea>",
            "\nSays &lt;hello&gt;\nand more</textarea>",
            "<input type=\"hidden\" name=\"tags\" value=\"\">",
            "Send it again</button>",
        ] {
            assert!(page.contains(wanted), "{wanted}: {page}");
        }
        assert_eq!(hidden(page, "once"), once, "it is still the same form, and done once");
    };
    world.clock.advance(Duration::from_hours(12));
    let ended = browser.send(ours(), &form(&csrf, &typed)).await;
    assert_eq!(ended.status, 401);
    assert!(ended.text().contains("Your session has ended"), "{}", ended.text());
    given_back(&ended.text());
    assert_eq!(hidden(&ended.text(), "csrf"), "", "nothing that proves a session");

    // They sign in beside it, and nothing is done by that alone.
    assert_eq!(browser.sign_in(ADMIN).await.status, 303);
    let anew = browser.send(ours(), &form("", &typed)).await;
    assert_eq!(anew.status, 403);
    assert!(anew.text().contains("has signed in here"), "{}", anew.text());
    given_back(&anew.text());
    assert!(!browser.page("/console/prompts").await.contains("greeter</a>"));
    let csrf = hidden(&anew.text(), "csrf");
    let editor = location(&browser.send(ours(), &form(&csrf, &typed)).await);
    assert!(editor.ends_with("/edit"), "{editor}");
    assert!(browser.page("/console/prompts").await.contains("greeter</a>"));
}

#[tokio::test]
async fn a_form_from_before_somebody_signed_in_again_in_another_tab_is_given_back() {
    let world = World::start().await;
    let mut browser = Browser::of_admin(&world).await;
    let before = hidden(&browser.page(PATH).await, "csrf");
    browser.sign_in(ADMIN).await;
    let typed = |csrf| [("csrf", csrf), ("name", "greeter"), ("team_id", "support")];
    let anew = browser.send(ours(), &typed(&before)).await;
    assert_eq!(anew.status, 403);
    assert!(anew.text().contains("\ngreeter</textarea>"), "{}", anew.text());
    let now = hidden(&anew.text(), "csrf");
    assert_ne!(now, before);
    assert_eq!(browser.send(ours(), &typed(&now)).await.status, 303);
}

#[tokio::test]
async fn what_another_site_made_up_is_not_offered_to_be_sent() {
    let world = World::start().await;
    let browser = Browser::of_admin(&world).await;
    let nobody = Browser::new(&world.process.router);
    let call = || Call::new(Method::POST, PATH);
    for (call, who) in [
        (call(), "a browser that does not say"),
        (call().header("sec-fetch-site", "cross-site"), "another site"),
        (call().header("sec-fetch-site", "same-site"), "a neighbour"),
        (call().header("sec-fetch-site", "none"), "nobody's page"),
    ] {
        for (browser, status) in [(&browser, 403), (&nobody, 401)] {
            let answer = browser.send(call.clone(), &[("name", "made-up"), ("team_id", "support")]).await;
            let page = answer.text();
            assert_eq!(answer.status, status, "{who}: {page}");
            assert!(!page.contains("made-up") && !page.contains("Send it again"), "{who}: {page}");
        }
    }
}
