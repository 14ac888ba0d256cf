//! What is kept of changes.

use e2e::{Call, text};
use serde_json::json;

use crate::target::Target;

pub(crate) async fn the_audit_proves_itself(target: &Target) {
    let prompt = target.prompt("records", "audited", &json!({})).await;
    for text in ["one", "two"] {
        let version = target.version(&prompt, &json!({ "template_text": text })).await;
        target.promote(&prompt, &version).await.expect(200);
    }
    let export = target.admin(Call::get(format!("/api/audit/export?prompt_id={prompt}"))).await;
    assert_eq!(export.status.as_u16(), 200);
    domain::audit::export::verify(&export.text()).unwrap();
    let forged = export.text().replacen("\"promoted\"", "\"locked\"", 1);
    domain::audit::export::verify(&forged).unwrap_err();
}

pub(crate) async fn the_same_request_is_made_once(target: &Target) {
    let body = json!({ "name": "once", "team_id": "records" });
    let ask = || target.admin(Call::post("/api/prompts", &body).header("idempotency-key", "the-same"));
    let first = ask().await.expect(201);
    let second = ask().await;
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(text(&second.expect(201)["prompt_id"]), text(&first["prompt_id"]));
    let other = json!({ "name": "twice", "team_id": "records" });
    let other = Call::post("/api/prompts", &other).header("idempotency-key", "the-same");
    target.admin(other).await.refused(422, "idempotency-mismatch");
}
