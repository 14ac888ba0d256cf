//! From the sign-in to two versions of a prompt.

use e2e::ADMIN;

use crate::{stage::Stage, tab::Tab};

#[tokio::test]
async fn a_person_signs_in_makes_a_prompt_and_writes_two_versions() {
    let stage = Stage::empty().await;
    let mut tab = Tab::open(stage.platform.url()).await;
    tab.go("/console/prompts/new").await;
    tab.fill("API key", "cue_admin_not-this-one").await;
    tab.follow("Sign in").await;
    tab.sees("no live key").await;
    tab.fill("API key", ADMIN).await;
    tab.follow("Sign in").await;
    tab.sees("New prompt").await;

    tab.fill("Name", "greeter").await;
    tab.fill("Team", "support").await;
    tab.fill("What it is for", "Greets people.").await;
    tab.follow("Make it, and write its first version").await;
    tab.sees("First version of greeter").await;
    tab.fill("System prompt", "You are kind.").await;
    tab.fill("Template", "Hello {{ name }}").await;
    tab.fill("Model", "test/model").await;
    tab.fill("Note", "The first one").await;
    tab.follow("Save as version 1").await;
    tab.sees("It serves nobody until it is promoted").await;
    for shown in ["You are kind.", "Hello {{ name }}", "The first one"] {
        tab.sees(shown).await;
    }

    tab.follow("Edit").await;
    tab.fill("Template", "Good morning {{ name }}").await;
    tab.follow("Save as version 2").await;
    tab.follow("What changed since version 1").await;
    tab.sees("Version 1 → 2").await;
    let changed: (String, String) = tab.js("[...['del', 'ins']].map(kind => [...document.querySelectorAll(`.diff ${kind}`)].map(piece => piece.innerText).join(' '))").await;
    assert_eq!(changed, ("Hello".to_owned(), "Good morning".to_owned()));
    tab.follow("support/greeter").await;
    tab.sees("Nothing is live yet").await;

    tab.follow("Sign out").await;
    tab.sees("API key").await;
    tab.go("/console/prompts").await;
    assert!(tab.path().await.starts_with("/console/sign-in"), "{}", tab.path().await);
}
