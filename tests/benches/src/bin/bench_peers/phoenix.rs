//! Arize Phoenix, as it is by default: SQLite, one process, no keys.

use std::path::Path;

use benches::{Outcome, load::Load};
use serde_json::json;

use crate::{
    system::{self, Api, Kind, System, free_port},
    texts::Text,
};

/// With the prompts under a tag.
pub(crate) async fn start(programs: &Path, texts: &[Text]) -> Outcome<System> {
    let grpc_port = free_port()?;
    let (server, folder) = system::start(&programs.join("phoenix"), "/healthz", |command, port| {
        command.arg("serve").env("PHOENIX_HOST", "127.0.0.1").env("PHOENIX_PORT", port.to_string());
        command.env("PHOENIX_GRPC_PORT", grpc_port.to_string()).env("PHOENIX_WORKING_DIR", ".");
        // It is to ask nobody.
        command.env("PHOENIX_TELEMETRY_ENABLED", "false");
    })
    .await?;
    let api = Api::of(&server, "/v1", None)?;
    for Text { name, text } in texts {
        let template = json!({ "type": "chat", "messages": [{ "role": "user", "content": text }] });
        let version = json!({
            "model_provider": "OPENAI", "model_name": "mock", "template_type": "CHAT", "template_format": "NONE",
            "template": template, "invocation_parameters": { "type": "openai", "openai": {} },
        });
        let made = api.post("/prompts", &json!({ "prompt": { "name": name }, "version": version })).await?;
        let version = made["data"]["id"].as_str().unwrap_or_default();
        api.post(&format!("/prompt_versions/{version}/tags"), &json!({ "name": "production" })).await?;
    }
    let paths = texts.iter().map(|text| format!("/v1/prompts/{}/tags/production", text.name));
    let name = format!("Phoenix {}", system::version("arize-phoenix"));
    Ok(System { name, kind: Kind::Peer, server, load: Load::of_all(paths, None), _folder: Some(folder) })
}
