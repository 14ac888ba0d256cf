//! Prompts evaluated as flags through the gateway, which hands paths over decoded.

use e2e::{Call, FleetSettings, text};
use serde_json::json;

use crate::lambda::Lambda;

#[tokio::test(flavor = "multi_thread")]
async fn flags_are_evaluated_whatever_the_gateway_makes_of_their_names() {
    let lambda = Lambda::start(FleetSettings { sandboxes: 1, ..FleetSettings::default() }).await;
    let (key, _) = lambda.resolver().await;
    let whom = json!({ "context": { "targetingKey": "user-1" } });
    let ask = |path: &str| Call::post(format!("/ofrep/v1/evaluate/flags{path}"), &whom).key(&key);
    for name in ["team/two words", "a%2Fb", "c+d & e#"] {
        let (prompt, [version, _]) = lambda.prompt(name).await;
        lambda.promote(&prompt, &version).await;
        // As it is written in a path, byte by byte.
        let whole: Vec<_> = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = ask(&format!("/{}", whole.concat())).send_to(&lambda.url).await.expect(200);
        assert_eq!((text(&answer["key"]), &answer["value"]["text"]), (name, &json!("one")));
    }
    let raw = ask("/team/two%20words").send_to(&lambda.url).await.expect(200);
    assert_eq!(raw["key"], "team/two words");

    let first = ask("").send_to(&lambda.url).await;
    assert_eq!(first.expect(200)["flags"].as_array().unwrap().len(), 3);
    let again = ask("").header("if-none-match", first.header("etag")).send_to(&lambda.url).await;
    assert_eq!((again.status.as_u16(), again.text().as_str()), (304, ""));
    let refused = ask("/absent").send_to(&lambda.url).await.expect(404);
    assert_eq!((&refused["key"], &refused["errorCode"]), (&json!("absent"), &json!("FLAG_NOT_FOUND")));
}
