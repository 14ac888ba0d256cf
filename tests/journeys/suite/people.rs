//! Who may what.

use e2e::{Call, text};
use serde_json::json;

use crate::target::Target;

pub(crate) async fn roles_and_teams_hold(target: &Target) {
    let prompt = target.prompt("growth", "secret-plan", &json!({})).await;
    let version = target.version(&prompt, &json!({ "template_text": "x" })).await;
    let author = target.key("growth", "author").await;
    let stranger = target.key("finance", "releaser").await;
    let (author, stranger) = (text(&author["secret"]), text(&stranger["secret"]));
    let path = format!("/api/prompts/{prompt}/promote");
    let body = json!({ "version_id": version, "environment": "production" });
    target.call(Call::post(&path, &body).key(author)).await.refused(403, "forbidden");
    target.call(Call::post(&path, &body).key(stranger)).await.refused(404, "no-such-prompt");
    target.call(Call::post(&path, &body)).await.refused(401, "unauthenticated");
    let staging = json!({ "version_id": version, "environment": "staging" });
    target.call(Call::post(&path, &staging).key(author)).await.expect(200);
    let resolve = Call::get(format!("/api/resolve/{prompt}?env=staging"));
    target.call(resolve.clone().key(stranger)).await.refused(404, "no-such-prompt");
    target.call(resolve.key(author)).await.expect(200);
    target.call(Call::get("/api/nothing").key(author)).await.refused(404, "no-such-route");
}

pub(crate) async fn a_revoked_key_is_refused(target: &Target) {
    let prompt = target.prompt("growth", "public-plan", &json!({})).await;
    let version = target.version(&prompt, &json!({ "template_text": "x" })).await;
    target.promote(&prompt, &version).await.expect(200);
    let key = target.key("growth", "resolver").await;
    let secret = text(&key["secret"]);
    target.resolve(secret, "public-plan", 1).await;
    target.admin(Call::delete(format!("/api/keys/{}", text(&key["key_id"])))).await.expect(200);
    let ask = || Call::get("/api/resolve/public-plan").key(secret);
    target.until(ask, |answer| answer.status.as_u16() == 401).await.refused(401, "unauthenticated");
}
