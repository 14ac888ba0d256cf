//! Keys: made, shown once, replaced, and refused everywhere once they are revoked.

use crate::{stage::Stage, tab::Tab};

#[tokio::test]
async fn a_key_is_made_used_and_revoked() {
    let stage = Stage::empty().await;
    let mut admin = stage.admin().await;
    admin.follow("Keys").await;
    admin.fill("Whose it is", "Ann").await;
    admin.fill("Team", "support").await;
    admin.choose("Role", "author").await;
    admin.follow("Make it").await;
    admin.sees("It is shown this once").await;
    let secret: String = admin.js("document.querySelector('.secret').innerText").await;
    let mut ann = stage.signed_in(&secret).await;
    ann.sees("Ann (author, support)").await;
    ann.sees_but_not("Overview", "Keys").await;

    admin.follow("Keys").await;
    admin.choose("Keys of", "support").await;
    admin.follow("Show").await;
    admin.sees_but_not("Ann", &secret).await;
    let change = "[...document.querySelectorAll('tbody tr')].find(row => row.innerText.includes('Ann')).querySelector('summary').click()";
    admin.js::<()>(&format!("void {change}")).await;
    admin.follow("Revoke Ann").await;
    admin.sees("revoked").await;
    // Within seconds it is known everywhere; then her session has ended, and the key opens no other.
    let gone = "fetch('/console', { redirect: 'manual' }).then(answer => answer.type === 'opaqueredirect')";
    ann.until(gone).await;
    ann.go("/console/prompts").await;
    ann.sees("API key").await;
    ann.fill("API key", &secret).await;
    ann.follow("Sign in").await;
    ann.sees("no live key").await;
}

#[tokio::test]
async fn a_page_of_errors_says_what_happened() {
    let stage = Stage::empty().await;
    let key = stage.key("author", "Ann").await;
    let mut tab = stage.signed_in(&key).await;
    tab.go("/console/keys").await;
    tab.sees("admin").await;
    tab.go("/console/prompts/nothing-like-that").await;
    tab.follow("To the overview").await;
    tab.sees("What is live").await;
    let mut nobody = Tab::open(stage.platform.url()).await;
    nobody.go("/console/audit?team=support").await;
    nobody.fill("API key", &key).await;
    nobody.follow("Sign in").await;
    assert_eq!(nobody.path().await, "/console/audit?team=support");
}
