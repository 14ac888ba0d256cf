//! A client that others wrote, for the handshake and for the protocol without one.

use std::{path::Path, process::Stdio};

use e2e::{Profile, bootstrap};
use serde_json::{Value, json};
use tokio::{process::Command, time::timeout};

use super::{PATIENCE, admin, key, promote, prompt, version};
use crate::stage::Stage;

/// What it is told to do.
const CLIENT: &str = include_str!("client.py");

/// What the client tells after speaking to a server in one of its modes.
async fn told(stage: &Stage, key: &str, mode: &str) -> Value {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/mcp/bin/python");
    assert!(python.exists(), "There is no .tools/mcp/bin/python: say `make tools`.");
    let mut command = Command::new(python);
    command.args(["-c", CLIENT]).arg(bootstrap("cuecard", Profile::Dev)).arg(mode);
    command.env_clear().env("HOME", stage.path("home")).stdin(Stdio::null()).kill_on_drop(true);
    command.env("CUECARD_URL", stage.platform.url()).env("CUECARD_API_KEY", key);
    let output = timeout(PATIENCE, command.output()).await.expect("it comes to an end").unwrap();
    assert!(output.status.success(), "{mode}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_another_author_lists_resolves_and_promotes() {
    let stage = Stage::empty().await;
    let admin = admin(&stage);
    let greeting = prompt(&admin, "Grüße/漢字").await;
    let first = version(&admin, &greeting, json!({ "template_text": "Hallo {{ name }}" })).await;
    promote(&admin, &first, "production").await;
    let releaser = key(&stage, "releaser").await;
    for (mode, revision, said) in
        [("legacy", "2025-11-25", "Hallo Zoë 🗝"), ("auto", "2026-07-28", "Hallo 2 Zoë 🗝")]
    {
        let next = if mode == "legacy" { 2 } else { 3 };
        version(&admin, &greeting, json!({ "template_text": format!("Hallo {next} {{{{ name }}}}") })).await;
        let told = told(&stage, &releaser, mode).await;
        let expected = json!({
            "revision": revision,
            "server": "cuecard",
            "prompts": ["support/Grüße/漢字"],
            "arguments": ["name"],
            "said": said,
            "shown": false,
            "done": true,
            "refused": true,
            "reading": ["list_versions", "show_version", "diff_versions", "show_evaluation"],
            "destructive": ["promote_version"],
        });
        assert_eq!(told, expected, "{mode}");
        let live = admin.environment(&greeting.prompt_id.to_string(), "production").await.unwrap();
        assert_eq!(live.version_number, Some(next), "{mode}");
    }
}
