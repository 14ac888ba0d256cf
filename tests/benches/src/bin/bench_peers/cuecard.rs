//! Ours, as `local` runs it: with keys and the log, over the embedded engines.

use benches::{
    Outcome,
    child::{ADMIN, Child},
    load::Load,
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    system::{Api, Kind, System},
    texts::Text,
};

/// With the prompts in production.
pub(crate) async fn start(texts: &[Text]) -> Outcome<System> {
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let server = Child::platform(folder.path(), None, false).await?;
    let api = Api::of(&server, "/api", Some(ADMIN))?;
    for Text { name, text } in texts {
        let prompt = json!({ "name": name, "team_id": "bench", "gate": { "mode": "off" } });
        let prompt = &api.post("/prompts", &prompt).await?["prompt_id"];
        let path = format!("/prompts/{}", prompt.as_str().unwrap_or_default());
        let content = json!({ "template_text": text, "template_format": "plain", "model_id": "mock/echo" });
        let version = api.post(&format!("{path}/versions"), &content).await?;
        let promotion = json!({ "version_id": version["version_id"], "environment": "production" });
        api.post(&format!("{path}/promote"), &promotion).await?;
    }
    let key = json!({ "team_id": "bench", "role": "resolver", "name": "bench" });
    let key = api.post("/keys", &key).await?;
    let paths = texts.iter().map(|text| format!("/api/resolve/{}?env=production", text.name));
    let load = Load::of_all(paths, key["secret"].as_str());
    Ok(System { name: "Cuecard".to_owned(), kind: Kind::Ours, server, load, _folder: Some(folder) })
}
