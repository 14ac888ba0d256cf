//! What is too close to call waits for a releaser who did not write it.

use serde_json::json;

use crate::stage::{Stage, cases};

#[tokio::test]
async fn a_releaser_decides_what_the_author_may_not() {
    let stage = Stage::empty().await;
    let set = stage.test_set("questions", cases(15, 5)).await;
    let gate = json!({ "mode": "required", "min_pass_rate": 0.8, "min_cases": 1 });
    let prompt = stage.prompt("answers", &json!({ "test_set_id": set, "gate": gate })).await;
    let mut ann = stage.signed_in(&stage.key("releaser", "Ann").await).await;
    ann.go(&format!("/console/prompts/{prompt}/edit")).await;
    ann.fill("Template", "{{ message }}").await;
    ann.fill("Model", "test/model").await;
    ann.follow("Save as version 1").await;
    ann.follow("Its evaluation").await;
    ann.sees("too close to call").await;
    ann.sees("You wrote this version, so another releaser decides").await;

    let mut ben = stage.signed_in(&stage.key("releaser", "Ben").await).await;
    ben.sees("support/answers version 1 was too close to call").await;
    ben.follow("Review").await;
    ben.follow("support/answers version 1").await;
    ben.sees("15 of 20 cases pass").await;
    ben.fill("Why", "I read the five: they are fine").await;
    ben.follow("Approve: it may go live").await;
    ben.follow("version 1").await;
    ben.sees("Approved by Ben").await;
    ben.sees("I read the five: they are fine").await;
    ben.follow("Promote").await;
    ben.follow("Promote version 1 to production").await;
    ben.sees("production holds version 1").await;
    ben.go("/console/review").await;
    ben.sees("Nothing waits for a person").await;
}
