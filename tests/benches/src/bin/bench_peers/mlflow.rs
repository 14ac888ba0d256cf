//! MLflow, as it is by default but for its number of workers: SQLite, no keys.

use std::path::Path;

use benches::{Outcome, load::Load};
use serde_json::json;

use crate::{
    system::{self, Api, Kind, System},
    texts::Text,
};

/// With the prompts under an alias.
pub(crate) async fn start(programs: &Path, texts: &[Text], workers: usize) -> Outcome<System> {
    let (server, folder) = system::start(&programs.join("mlflow"), "/health", |command, port| {
        command.args(["server", "--host", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--workers", &workers.to_string()]);
        // It is to ask nobody.
        command.env("MLFLOW_DISABLE_TELEMETRY", "true");
        // Its jobs look for work all the time, which no read of a prompt needs.
        command.env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false");
    })
    .await?;
    let api = Api::of(&server, "/api/2.0/mlflow", None)?;
    let tag = |key: &str, value: &str| json!({ "key": format!("mlflow.prompt.{key}"), "value": value });
    // A prompt is a model whose text is a tag: its own client writes the same.
    for Text { name, text } in texts {
        let model = json!({ "name": name, "tags": [tag("is_prompt", "true")] });
        api.post("/registered-models/create", &model).await?;
        let tags = [tag("is_prompt", "true"), tag("text", text)];
        let version = json!({ "name": name, "source": "prompt-template", "tags": tags });
        let made = api.post("/model-versions/create", &version).await?;
        let version = &made["model_version"]["version"];
        let alias = json!({ "name": name, "alias": "production", "version": version });
        api.post("/registered-models/alias", &alias).await?;
    }
    let path = "/api/2.0/mlflow/registered-models/alias?alias=production&name=";
    let load = Load::of_all(texts.iter().map(|text| format!("{path}{}", text.name)), None);
    let some = if workers == 1 { "1 worker".to_owned() } else { format!("{workers} workers") };
    let name = format!("MLflow {}, {some}", system::version("mlflow"));
    Ok(System { name, kind: Kind::Peer, server, load, _folder: Some(folder) })
}
