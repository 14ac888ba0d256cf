//! A company's prompts: what is resolved, and as whom.

use benches::{Outcome, prompt::prompt_of_1_kb};
use e2e::{
    Answer, Call,
    report::{Progress, line},
    text,
};
use serde_json::{Value, json};

const TEAMS: usize = 20;
/// One prompt in so many is tried.
const TRIED_ONE_IN: usize = 20;

/// A prompt of two versions, the second of them live in production, or both of them in an experiment.
pub(crate) struct Prompt {
    pub(crate) id: String,
    /// The ids of its versions, by number.
    pub(crate) versions: [String; 2],
    pub(crate) is_tried: bool,
}

impl Prompt {
    /// The number of the version in an answer; `None` where that is none of this prompt's.
    pub(crate) fn version_in(&self, answer: &[u8]) -> Option<u64> {
        let body: Value = serde_json::from_slice(answer).ok()?;
        let at = self.versions.iter().position(|version| body["version_id"] == **version)?;
        body["version_number"].as_u64().filter(|number| usize::try_from(*number) == Ok(at + 1))
    }
}

/// The API of a platform, as the admin.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) url: String,
    pub(crate) key: &'static str,
}

impl Admin {
    pub(crate) async fn post(&self, path: String, body: &Value) -> Answer {
        Call::post(path, body).key(self.key).send_to(&self.url).await
    }
}

/// Writes them; returns them with a resolver's key.
pub(crate) async fn filled(admin: &Admin, prompts: usize) -> Outcome<(Vec<Prompt>, String)> {
    line(&format!("writes {prompts} prompts of {TEAMS} teams, one in {TRIED_ONE_IN} with an experiment"));
    let mut progress = Progress::begin();
    let mut written = Vec::new();
    for number in 0..prompts {
        written.push(prompt(admin, number).await);
        progress.tell(|| format!("{number} prompts"));
    }
    let key = json!({ "team_id": "*", "role": "resolver", "name": "load" });
    let key = admin.post("/api/keys".to_owned(), &key).await.expect(201);
    Ok((written, text(&key["secret"]).to_owned()))
}

async fn prompt(admin: &Admin, number: usize) -> Prompt {
    let team = format!("team-{}", number % TEAMS);
    let body = json!({ "name": format!("prompt-{number}"), "team_id": team, "gate": { "mode": "off" } });
    let id = text(&admin.post("/api/prompts".to_owned(), &body).await.expect(201)["prompt_id"]).to_owned();
    let mut versions = [String::new(), String::new()];
    for (number, version) in versions.iter_mut().enumerate() {
        let mut body = prompt_of_1_kb();
        body["config"] = json!({ "number": number });
        let made = admin.post(format!("/api/prompts/{id}/versions"), &body).await.expect(201);
        text(&made["version_id"]).clone_into(version);
        let body = json!({ "version_id": version, "environment": "production" });
        admin.post(format!("/api/prompts/{id}/promote"), &body).await.expect(200);
    }
    let is_tried = number.is_multiple_of(TRIED_ONE_IN);
    if is_tried {
        let variants: Vec<_> =
            versions.iter().rev().map(|version| json!({ "version_id": version })).collect();
        let body = json!({ "variants": variants });
        admin.post(format!("/api/prompts/{id}/experiments"), &body).await.expect(201);
    }
    Prompt { id, versions, is_tried }
}
