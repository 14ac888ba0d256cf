//! JSON of another kind than the one that is wanted: it breaks a rule, and is JSON all the same.

use e2e::Call;
use serde_json::json;

use crate::api::{self, pointers};

#[tokio::test]
async fn a_word_that_is_no_string_is_named() {
    let world = api::start().await;
    for role in [json!(5), json!(null), json!([]), json!({})] {
        let body = json!({ "team_id": "a", "role": role, "name": "n" });
        let problem = world.admin(Call::post("/api/keys", &body)).await.refused(422, "invalid");
        assert_eq!(pointers(&problem), ["/role"], "{problem}");
    }
}

#[tokio::test]
async fn an_array_is_no_object_even_where_it_holds_the_members_in_their_order() {
    let world = api::start().await;
    world.key("a", "author").await;
    for call in [
        Call::post("/api/test-sets", &json!(["cases", "a"])),
        Call::put("/api/teams/a", &json!([null, null])),
        Call::post("/api/resolve", &json!(["greeter"])),
    ] {
        let problem = world.admin(call).await.refused(422, "invalid");
        assert_eq!(pointers(&problem), [""], "{problem}");
    }
    let batch = json!({ "requests": [["greeter"]] });
    let answer = world.admin(Call::post("/api/resolve:batch", &batch)).await.expect(200);
    assert_eq!(pointers(&answer["responses"][0]["body"]), [""], "{answer}");
}
