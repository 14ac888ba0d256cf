//! What the program writes while it serves.

use axum::http::Method;
use e2e::{Call, leaks};
use regex::Regex;
use serde_json::json;
use tempfile::TempDir;

use crate::program::Program;

/// What somebody sends: no log may have it.
const PLANTED: &str = "planted-and-never-to-be-logged";

#[tokio::test]
async fn each_request_has_a_line_that_tells_nothing_of_what_it_brought() {
    let folder = TempDir::new().unwrap();
    let mut program = Program::start(folder.path(), "info");
    let url = format!("http://{}", program.address());
    let said = program.said();
    let admin = Regex::new("cue_[0-9A-Za-z]+_[0-9A-Za-z_-]+").unwrap().find(&said).unwrap().as_str();
    let private = json!({ "prompt": PLANTED, "variables": { "name": PLANTED }, "user_id": PLANTED });
    let form = format!("key={admin}&next=%2Fconsole%3Fq%3D{PLANTED}");
    let form_type = "application/x-www-form-urlencoded";
    let mut asked = Vec::new();
    for call in [
        Call::get(format!("/api/prompts?q={PLANTED}")).key(admin),
        Call::get(format!("/api/resolve/{PLANTED}?user_id={PLANTED}")).header("x-api-key", admin),
        Call::get("/api/teams").header("x-api-key", &format!("cue_admin_{PLANTED}")),
        Call::post("/api/resolve", &private).key(admin),
        Call::new(Method::POST, "/console/sign-in").bytes(form_type, form),
        Call::get("/console").header("cookie", &format!("cuecard_session={PLANTED}")),
        Call::get(format!("/{PLANTED}?{PLANTED}")),
    ] {
        asked.push(call.send_to(&url).await);
    }
    let session = asked[4].header("set-cookie").split([';', '=']).nth(1).unwrap_or_default().to_owned();
    assert!(session.len() >= 32, "{:?}", asked[4]);
    let written = program.end();
    for answer in &asked {
        assert!(written.contains(answer.header("x-request-id")), "{answer:?} is not in the log: {written}");
    }
    let secret = admin.splitn(3, '_').last().unwrap().to_owned();
    assert_eq!(leaks(&written, &[PLANTED.to_owned(), secret, session].into()), [""; 0]);
}
