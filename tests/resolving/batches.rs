//! Several prompts in one request.

use e2e::{Answer, Call, text};
use serde_json::{Value, json};

use crate::scene::Scene;

impl Scene {
    async fn batch(&self, requests: &[Value]) -> Answer {
        self.call(Call::post("/api/resolve:batch", &json!({ "requests": requests }))).await
    }
}

fn slug(entry: &Value) -> &str {
    text(&entry["body"]["type"]).rsplit('/').next().unwrap()
}

#[tokio::test]
async fn each_of_a_batch_has_its_own_status_in_the_order_asked() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let gone = scene.live("gone", r#"{"template_text": "x"}"#).await;
    scene.world.admin(Call::delete(format!("/api/prompts/{}", text(&gone["prompt_id"])))).await.expect(200);
    let ada = json!({ "prompt": "greeter", "variables": { "name": "Ada" } });
    let answer = scene
        .batch(&[
            ada.clone(),
            json!({ "prompt": "nobody" }),
            json!({ "prompt": "greeter" }),
            json!({ "prompt": "gone" }),
            json!({ "prompt": "greeter", "env": "staging" }),
            json!({ "variables": {} }),
            json!({ "prompt": "greeter", "variables": { "name": "Ada" }, "min_revision": 9 }),
            json!({ "prompt": "greeter", "variables": { "name": "Bob" }, "fields": "text", "user_id": "u" }),
        ])
        .await;
    assert_eq!(answer.header("content-type"), "application/json");
    let answer = answer.expect(200);
    let entries = answer["responses"].as_array().unwrap();
    let statuses: Vec<_> = entries.iter().map(|entry| entry["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 404, 422, 410, 404, 422, 412, 200]);
    let slugs: Vec<_> = entries[1..7].iter().map(slug).collect();
    assert_eq!(
        slugs,
        ["no-such-prompt", "invalid", "archived", "not-live", "invalid", "revision-not-reached"]
    );
    for entry in &entries[1..7] {
        assert_eq!(entry["status"], entry["body"]["status"]);
        assert!(entry["body"]["detail"].is_string() && entry["body"]["title"].is_string());
    }
    let mut alone = scene.post(&ada).await.expect(200);
    let mut entry = entries[0]["body"].clone();
    for body in [&mut alone, &mut entry] {
        assert!(body.as_object_mut().unwrap().remove("resolution_token").unwrap().is_string());
    }
    assert_eq!(entry, alone, "an entry is what its request alone answers");
    let last = &entries[7]["body"];
    assert_eq!((&last["resolved_text"], &last["sticky"]), (&json!("Hello Bob"), &json!(true)));
    assert!(last.get("messages").is_none());
}

#[tokio::test]
async fn a_mistake_in_one_request_spoils_no_other() {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    let wrong = [
        (json!({ "prompt": "greeter", "env": "PROD" }), "/env"),
        (json!({ "prompt": "greeter", "unknown": 1 }), "/unknown"),
        (json!({ "prompt": 7 }), "/prompt"),
        (json!({ "prompt": "greeter", "variables": [] }), "/variables"),
        (json!("greeter"), ""),
    ];
    let mut requests: Vec<_> = wrong.iter().map(|(request, _)| request.clone()).collect();
    requests.push(json!({ "prompt": "greeter" }));
    let answer = scene.batch(&requests).await.expect(200);
    for (at, (request, pointer)) in wrong.iter().enumerate() {
        let entry = &answer["responses"][at];
        assert_eq!((entry["status"].as_u64(), slug(entry)), (Some(422), "invalid"), "{request}");
        assert_eq!(entry["body"]["errors"][0]["pointer"], *pointer, "{request}");
    }
    assert_eq!(answer["responses"][5]["status"], 200);
}

#[tokio::test]
async fn a_batch_holds_one_to_fifty_requests() {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    let requests = vec![json!({ "prompt": "greeter" }); 51];
    let answer = scene.batch(&requests[..50]).await.expect(200);
    let entries = answer["responses"].as_array().unwrap();
    assert!(entries.len() == 50 && entries.iter().all(|entry| entry["status"] == 200));
    for wrong in [&requests[..], &[]] {
        let refused = scene.batch(wrong).await.refused(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], "/requests");
    }
    let more = Call::post("/api/resolve:batch", &json!({ "requests": [], "more": 1 }));
    assert_eq!(scene.call(more).await.refused(422, "invalid")["errors"][0]["pointer"], "/more");
}

#[tokio::test]
async fn a_batch_answers_with_4_mib_at_most_and_refuses_what_comes_later() {
    let scene = Scene::start().await;
    // Each control character takes six bytes of JSON.
    let text = "\u{1}".repeat(40 << 10);
    let content = json!({ "template_format": "plain", "template_text": text });
    scene.live("large", &content.to_string()).await;
    let large = json!({ "prompt": "large", "fields": "text" });
    let answer = scene.batch(&vec![large.clone(); 50]).await;
    assert!(answer.body.len() <= 4 << 20, "{} bytes", answer.body.len());
    let answer = answer.expect(200);
    let statuses: Vec<_> =
        answer["responses"].as_array().unwrap().iter().map(|entry| &entry["status"]).collect();
    let fit = statuses.iter().take_while(|status| **status == 200).count();
    assert_eq!(fit, 16, "as many as fit: each has 240 KiB and a little, and the others' refusals take some");
    assert!(statuses[fit..].iter().all(|status| *status == 413), "{statuses:?}");
    assert_eq!(slug(&answer["responses"][49]), "too-large");
}

#[tokio::test]
async fn an_answer_that_leaves_no_room_for_the_refusals_after_it_is_refused_itself() {
    let scene = Scene::start().await;
    let content =
        json!({ "template_format": "mustache", "template_text": "\u{1}".repeat(40 << 10) + "{{v}}" });
    scene.live("large", &content.to_string()).await;
    let large =
        |v: usize| json!({ "prompt": "large", "fields": "text", "variables": { "v": "x".repeat(v) } });
    let one = scene.batch(&[large(0)]).await.body.len();
    let each = scene.batch(&[large(0), large(0)]).await.body.len() - one;
    // The last of these would fill the 4 MiB to the byte.
    let rest = (4 << 20) - (one + 16 * each);
    let mut requests = vec![large(0); 16];
    requests.push(large(rest));
    requests.resize(50, large(0));
    let answer = scene.batch(&requests).await;
    assert!(answer.body.len() <= 4 << 20, "{} bytes", answer.body.len());
    let answer = answer.expect(200);
    let statuses: Vec<_> =
        answer["responses"].as_array().unwrap().iter().map(|entry| &entry["status"]).collect();
    assert!(statuses[..16].iter().all(|status| **status == 200));
    assert!(statuses[16..].iter().all(|status| **status == 413));
    requests[16] = large(rest - 1024);
    let fits = scene.batch(&requests[..17]).await;
    assert!((4 << 20) - fits.body.len() < 2048);
    assert_eq!(fits.expect(200)["responses"][16]["status"], 200, "with nothing after it there is room");
}

#[tokio::test]
async fn refusals_count_towards_the_4_mib_too() {
    let scene = Scene::start().await;
    let names: Vec<_> = (0..100).map(|number| format!("v{number:0>190}")).collect();
    let template = format!("{{{{ {} }}}}", names.join(" }}{{ "));
    scene.live("demanding", &json!({ "template_text": template }).to_string()).await;
    let large = json!({ "template_format": "plain", "template_text": "\u{1}".repeat(40 << 10) });
    scene.live("large", &large.to_string()).await;
    // These leave room for some of the refusals after them, though not for all.
    let mut requests = vec![json!({ "prompt": "large", "fields": "text" }); 12];
    requests.resize(50, json!({ "prompt": "demanding" }));
    let answer = scene.batch(&requests).await;
    let free = (4_usize << 20).checked_sub(answer.body.len());
    assert!(free.is_some_and(|free| free < 128 << 10), "{} bytes", answer.body.len());
    let answer = answer.expect(200);
    let entries = answer["responses"].as_array().unwrap();
    let statuses: Vec<_> = entries.iter().map(|entry| entry["status"].as_u64().unwrap()).collect();
    let refused = statuses[12..].iter().take_while(|status| **status == 422).count();
    assert!(statuses[..12].iter().all(|status| *status == 200) && refused > 0, "{statuses:?}");
    assert_eq!(entries[12]["body"]["errors"].as_array().unwrap().len(), 100);
    let last = &statuses[12 + refused..];
    assert!(!last.is_empty() && last.iter().all(|status| *status == 413), "{statuses:?}");
}
