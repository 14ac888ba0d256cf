//! Schemathesis reads the document as strangers do, and asks all that it allows and much that it forbids: there is no
//! error on our side, no status and no answer that the document does not know, and what it forbids is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use axum::http::Method;
use e2e::{ADMIN, Call, text};
use local::{Platform, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

use crate::{
    api::{CASE, at},
    document::operations,
    requests::{Target, in_path, wish},
};

/// How it asks, with the reasons.
const SETTINGS: &str = include_str!("schemathesis.toml");
/// What it has to be told in its own language.
const HOOKS: &str = include_str!("schemathesis_hooks.py");

/// How long one run of it may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// The operations that it may not see succeed.
const UNREACHED: [&str; 3] = [
    // A run on a model that answers at once has ended before somebody could cancel it.
    "evaluations_cancel",
    // Nobody decides about, or approves, what they made themselves.
    "evaluations_review",
    "versions_approve",
];

/// The operations that make a trial or move a version, and find a prompt without a trial.
const UNTRIED: [&str; 3] = ["experiments_create", "moves_promote", "moves_rollback"];

/// The operations that end a trial.
const ENDING: [&str; 2] = ["canaries_abort", "experiments_stop"];

const TEAM: &str = "fuzzed";

/// Which things an operation is asked about, so that none takes away what another one wants to find.
fn whose(id: &str, method: &str) -> &'static str {
    match id {
        "canaries_create" => "for-canaries",
        "canaries_resume" => "paused",
        _ if UNTRIED.contains(&id) => "untried",
        _ if ENDING.contains(&id) => "ended",
        _ if method == "delete" => "deleted",
        _ => "kept",
    }
}

/// Things of one team, by what a [`Target`] calls them.
struct Things(BTreeMap<&'static str, String>);

impl Things {
    fn target(&self) -> Target<'_> {
        let id = |name| self.0.get(name).map_or("none", String::as_str);
        Target {
            prompt: id("prompt_id"),
            live: id("live"),
            version: id("version_id"),
            run: id("eval_run_id"),
            test_set: id("test_set_id"),
            experiment: id("experiment_id"),
            canary: id("rollout_id"),
            key: id("key_id"),
            webhook: id("webhook_id"),
            team: TEAM,
            environment: "staging",
            token: id("resolution_token"),
        }
    }
}

/// A platform, and what is on it before anything is asked.
struct Scene {
    platform: Platform,
    folder: TempDir,
    things: BTreeMap<&'static str, Things>,
}

impl Scene {
    async fn new() -> Self {
        let folder = TempDir::with_prefix("cuecard-").unwrap();
        let settings =
            Settings { admin_key: Some(ADMIN.to_owned()), ..Settings::new(folder.path().join("data")) };
        let platform = Platform::start(settings).await.unwrap();
        let mut scene = Self { platform, folder, things: BTreeMap::new() };
        for name in ["kept", "deleted", "ended", "paused", "untried", "for-canaries"] {
            let things = scene.things(name).await;
            scene.things.insert(name, things);
        }
        scene
    }

    /// Calls the API as the admin, and insists that it works.
    async fn done(&self, call: Call) -> Value {
        let answer = call.key(ADMIN).send_to(self.platform.url()).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        answer.json()
    }

    async fn key(&self, role: &str) -> Value {
        let body = json!({ "team_id": TEAM, "role": role, "name": "made before" });
        self.done(Call::post("/api/keys", &body)).await
    }

    /// A prompt with two versions, of which the first is live; with a trial in either environment where one may be.
    async fn things(&self, name: &'static str) -> Things {
        let set = json!({ "name": name, "team_id": TEAM });
        let set = self.done(Call::post("/api/test-sets", &set)).await["test_set_id"].clone();
        let cases = Call::new(Method::PUT, format!("/api/test-sets/{}/versions", text(&set)));
        self.done(cases.bytes("application/jsonl", CASE)).await;
        let gate = json!({ "mode": "off" });
        let prompt = json!({ "name": name, "team_id": TEAM, "test_set_id": set, "gate": gate });
        let prompt = self.done(Call::post("/api/prompts", &prompt)).await;
        let mut versions = Vec::new();
        for template in ["one", "two"] {
            let version = json!({ "template_text": template, "model_id": "mock/echo" });
            versions.push(self.done(Call::post(at(&prompt, "/versions"), &version)).await);
        }
        for environment in ["production", "staging"] {
            for version in versions.iter().rev() {
                let promotion = json!({ "version_id": version["version_id"], "environment": environment });
                self.done(Call::post(at(&prompt, "/promote"), &promotion)).await;
            }
        }
        let webhook =
            json!({ "team_id": TEAM, "url": "https://hooks.example.com/cuecard", "events": ["promotion"] });
        let mut made = vec![
            self.done(Call::post("/api/webhooks", &webhook)).await,
            self.done(Call::get(format!("/api/resolve/{}", text(&prompt["prompt_id"])))).await,
            self.key("resolver").await,
        ];
        if !["untried", "for-canaries"].contains(&name) {
            made.extend(self.trials(&prompt, &versions, name == "paused").await);
        }
        let live = text(&versions[0]["version_id"]).to_owned();
        // What was made last has the last word on what it is called: the second version, and not what was resolved.
        made.extend([prompt, versions.swap_remove(1)]);
        let names = in_path(&Target::nobody()).map(|(name, _)| name);
        let names = names.into_iter().chain(["prompt_id", "resolution_token"]);
        let ids = names.filter_map(|name| {
            let id = made.iter().rev().find_map(|made| made[name].as_str())?;
            Some((name, id.to_owned()))
        });
        Things(ids.chain([("live", live)]).collect())
    }

    /// An experiment in staging and a canary in production.
    async fn trials(&self, prompt: &Value, versions: &[Value], paused: bool) -> [Value; 2] {
        let variants: Vec<_> =
            versions.iter().map(|version| json!({ "version_id": version["version_id"] })).collect();
        let experiment = json!({ "environment": "staging", "variants": variants });
        let experiment = self.done(Call::post(at(prompt, "/experiments"), &experiment)).await;
        let canary = self.done(Call::post(at(prompt, "/rollouts"), &variants[1])).await;
        if paused {
            let path = format!("/api/rollouts/{}/pause", text(&canary["rollout_id"]));
            self.done(Call::post(path, &json!({}))).await;
        }
        [experiment, canary]
    }

    /// The document as it is served, with an example of what there is for each operation.
    async fn document(&self) -> Value {
        let mut document = self.done(Call::get("/api/openapi.json")).await;
        let paths = document["paths"].as_object_mut().unwrap().values_mut();
        for (method, operation) in paths.flat_map(|path| path.as_object_mut().unwrap()) {
            let target = self.things[whose(text(&operation["operationId"]), method)].target();
            exemplify(operation, &target);
        }
        document
    }

    /// The settings with whose key asks, and with the ids of what there is.
    fn settings(&self, key: &str) -> String {
        let named = |things: &str, probability: &str| {
            let bound = in_path(&self.things[things].target()).map(|(name, _)| {
                format!(
                    "\"path.{name}\" = {{ dictionary = \"{things}-{name}\", probability = {probability} }}"
                )
            });
            bound.join("\n")
        };
        let listed = ["kept", "deleted"].into_iter().flat_map(|things| {
            let ids = in_path(&self.things[things].target());
            ids.map(|(name, id)| format!("[dictionaries.\"{things}-{name}\"]\nvalues = [\"{id}\"]"))
        });
        let listed: Vec<_> = listed.collect();
        format!(
            "headers = {{ Authorization = \"Bearer {key}\" }}\nhooks = \"hooks.py\"\n{SETTINGS}\n\
             [parameters]\n{}\n[[operations]]\ninclude-method = \"DELETE\"\n[operations.parameters]\n{}\n{}\n",
            named("kept", "0.8"),
            named("deleted", "1.0"),
            listed.join("\n")
        )
    }

    /// Lets it ask with this key, insists that it finds nothing, and returns which operations succeeded.
    async fn ask(&self, key: &str, phases: &str) -> BTreeSet<String> {
        let folder = self.folder.path();
        fs::write(folder.join("document.json"), self.document().await.to_string()).unwrap();
        fs::write(folder.join("settings.toml"), self.settings(key)).unwrap();
        fs::write(folder.join("hooks.py"), HOOKS).unwrap();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/bin/st");
        assert!(program.exists(), "There is no .tools/bin/st: say `make tools`.");
        let mut command = Command::new(program);
        command.args([
            "--config-file",
            "settings.toml",
            "run",
            "document.json",
            "--url",
            self.platform.url(),
        ]);
        command.args([
            "--phases",
            phases,
            "--no-color",
            "--report",
            "ndjson",
            "--report-ndjson-path",
            "told",
        ]);
        // A proxy of this host does not know the platform.
        command.env("no_proxy", "127.0.0.1").env("HOME", folder).current_dir(folder);
        let output = timeout(PATIENCE, command.kill_on_drop(true).output()).await;
        let output = output.expect("it comes to an end").unwrap();
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        assert!(output.status.success(), "{}", said.concat());
        let told = fs::read_to_string(folder.join("told")).unwrap();
        told.lines().filter_map(|line| succeeded(&serde_json::from_str(line).unwrap())).collect()
    }
}

/// Puts what is there, and a body that fits, into what the document says of an operation.
fn exemplify(operation: &mut Value, target: &Target) {
    let (body, query) = wish(text(&operation["operationId"]), target);
    let query: Vec<_> = form_urlencoded::parse(query.trim_start_matches('?').as_bytes()).collect();
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = text(&parameter["name"]);
        let known = if parameter["in"] == "path" {
            in_path(target).into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
        } else {
            query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
        };
        if let Some(value) = known {
            parameter["example"] = json!(value);
        }
    }
    let Some(content) = operation.pointer_mut("/requestBody/content") else { return };
    match content.get_mut("application/jsonl") {
        Some(cases) => cases["example"] = json!(CASE),
        None => content["application/json"]["example"] = body,
    }
}

/// The operation of a part of the report, where it succeeded there.
fn succeeded(event: &Value) -> Option<String> {
    let recorder = &event["ScenarioFinished"]["recorder"];
    let mut answers = recorder["interactions"].as_object()?.values();
    let success = |answer: &Value| {
        answer.pointer("/response/status_code").and_then(Value::as_u64).is_some_and(|status| status < 300)
    };
    answers.any(success).then(|| text(&recorder["label"]).to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing_that_the_document_does_not_say() {
    let scene = Scene::new().await;
    let resolver = text(&scene.key("resolver").await["secret"]).to_owned();
    let let_in = scene.ask(&resolver, "examples").await;
    assert!(let_in.contains("POST /api/resolve") && !let_in.contains("POST /api/prompts"), "{let_in:?}");

    let reached = scene.ask(ADMIN, "examples,coverage,fuzzing,stateful").await;
    let unreached = operations().into_iter().filter(|operation| !reached.contains(&operation.name()));
    let unreached: BTreeSet<_> = unreached.map(|operation| text(&operation.value["operationId"])).collect();
    assert!(
        unreached.is_subset(&BTreeSet::from(UNREACHED)),
        "an operation that never succeeds is hardly asked: {unreached:?}"
    );
}
