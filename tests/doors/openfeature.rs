//! OpenFeature's own providers, as they are published: they evaluate prompts on `local`, with and without an experiment.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use e2e::{ADMIN, Call, text};
use local::{Platform, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

use crate::stage::at;

/// How long one program may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client that others wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    Python,
    Server,
    /// Of a page, which has one user.
    Page,
}

fn tool(place: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools").join(place);
    assert!(place.exists(), "There is no {}: say `make tools`.", place.display());
    place
}

impl Client {
    fn command(self) -> Command {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("doors");
        if self == Self::Python {
            let mut command = Command::new(tool("openfeature/bin/python"));
            command.arg(folder.join("evaluate.py"));
            return command;
        }
        let mut command = Command::new("node");
        command.arg(folder.join("evaluate.cjs")).env("NODE_PATH", tool("openfeature-js/node_modules"));
        command
    }

    /// Lets it evaluate flags, each with its context; returns what it makes of each.
    async fn evaluate(self, scene: &Scene, flags: &[Value]) -> Vec<Value> {
        let asked = json!({
            "url": scene.platform.url(), "headers": scene.headers, "flags": flags, "page": self == Self::Page,
        });
        let mut command = self.command();
        // A proxy of this host does not know the platform.
        command
            .env("no_proxy", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).await.unwrap();
        let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it comes to an end").unwrap();
        assert!(output.status.success(), "{self:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A platform with a prompt that greets and one that is tried, and an application of their team.
struct Scene {
    platform: Platform,
    _folder: TempDir,
    headers: Value,
    experiment: Value,
}

impl Scene {
    async fn start() -> Self {
        let folder = TempDir::with_prefix("cuecard-").unwrap();
        let settings = Settings { admin_key: Some(ADMIN.to_owned()), ..Settings::new(folder.path()) };
        let platform = Platform::start(settings).await.unwrap();
        let mut scene = Self { platform, _folder: folder, headers: json!({}), experiment: Value::Null };
        scene.prompt("team/two words", &["Hello {{ name }}"]).await;
        let (prompt, variants) = scene.prompt("tried", &["one", "two"]).await;
        let experiment = json!({ "variants": variants });
        let started = scene.done(Call::post(at(&prompt, "/experiments"), &experiment)).await;
        scene.experiment = started["experiment_id"].clone();
        let (gone, _) = scene.prompt("gone", &["gone"]).await;
        scene.done(Call::delete(at(&gone, ""))).await;
        let key = json!({ "team_id": "support", "role": "resolver", "name": "application" });
        let key = scene.done(Call::post("/api/keys", &key)).await;
        scene.headers = json!({ "Authorization": format!("Bearer {}", text(&key["secret"])) });
        scene
    }

    /// Calls the API as the admin, and insists that it works.
    async fn done(&self, call: Call) -> Value {
        let answer = call.key(ADMIN).send_to(self.platform.url()).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        answer.json()
    }

    /// A prompt with these versions, of which the first is live; and each as an arm.
    async fn prompt(&self, name: &str, templates: &[&str]) -> (Value, Vec<Value>) {
        let prompt = json!({ "name": name, "team_id": "support", "gate": { "mode": "off" } });
        let prompt = self.done(Call::post("/api/prompts", &prompt)).await;
        let mut arms = Vec::new();
        for template in templates {
            let version = json!({ "template_text": template, "model_id": "mock/echo" });
            let version = self.done(Call::post(at(&prompt, "/versions"), &version)).await;
            arms.push(json!({ "version_id": version["version_id"] }));
        }
        let promotion = json!({ "version_id": arms[0]["version_id"], "environment": "production" });
        self.done(Call::post(at(&prompt, "/promote"), &promotion)).await;
        (prompt, arms)
    }
}

fn greeted(key: &str) -> Value {
    json!({ "key": key, "context": { "targetingKey": "user-1", "name": "Ada" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_of_openfeature_evaluate_without_an_experiment() {
    let scene = Scene::start().await;
    let flags = [greeted("team/two words"), greeted("nobody"), greeted("gone")];
    for client in [Client::Python, Client::Server, Client::Page] {
        let told = client.evaluate(&scene, &flags).await;
        let [greeter, nobody, gone] = told.as_slice() else { panic!("{client:?}: {told:?}") };
        assert_eq!(greeter["value"]["text"], "Hello Ada", "{client:?}: {greeter}");
        let messages = json!([{ "role": "user", "content": "Hello Ada" }]);
        assert_eq!(greeter["value"]["messages"], messages, "{client:?}");
        assert_eq!((&greeter["reason"], &greeter["variant"]), (&json!("STATIC"), &json!("v1")), "{client:?}");
        let metadata = &greeter["metadata"];
        assert_eq!(metadata["promptVersion"], 1, "{client:?}");
        assert_eq!(metadata["environment"], "production", "{client:?}");
        let event =
            json!({ "events": [{ "resolution_token": metadata["resolutionToken"], "success": true }] });
        assert_eq!(scene.done(Call::post("/api/metrics", &event)).await["accepted"], 1, "{client:?}");

        assert_eq!(nobody["value"]["text"], "default", "{client:?}");
        assert_eq!(nobody["errorCode"], "FLAG_NOT_FOUND", "{client:?}: {nobody}");
        assert_eq!(gone["value"]["text"], "default", "{client:?}");
        // The provider for servers is older than values that may be missing.
        if client != Client::Server {
            assert_eq!(
                (&gone["reason"], &gone["errorCode"]),
                (&json!("DISABLED"), &Value::Null),
                "{client:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_of_openfeature_evaluate_in_an_experiment_each_user_on_one_arm() {
    let scene = Scene::start().await;
    let ask = |user: usize| json!({ "key": "tried", "context": { "targetingKey": format!("user-{user}") } });
    let twice: Vec<_> = (0..12).chain(0..12).map(ask).collect();
    let of_python = Client::Python.evaluate(&scene, &twice).await;
    let of_server = Client::Server.evaluate(&scene, &twice).await;
    let seen = |told: &Value| {
        assert_eq!(told["reason"], "SPLIT", "{told}");
        assert_eq!(told["metadata"]["experimentId"], scene.experiment, "{told}");
        let arm = text(&told["variant"]).to_owned();
        assert_eq!(told["value"]["text"], if arm == "A" { "one" } else { "two" }, "{told}");
        arm
    };
    let arms: Vec<_> = of_python.iter().map(seen).collect();
    assert_eq!(arms[..12], arms[12..], "whoever comes again is served the same");
    assert_eq!(of_server.iter().map(seen).collect::<Vec<_>>(), arms);
    assert_eq!(BTreeSet::from_iter(&arms).len(), 2, "{arms:?}");
    for (user, arm) in arms.iter().enumerate().take(2) {
        let told = Client::Page.evaluate(&scene, &[ask(user)]).await;
        assert_eq!(seen(&told[0]), *arm);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_of_openfeature_know_what_is_wrong() {
    let scene = Scene::start().await;
    let flags = [
        json!({ "key": "team/two words", "context": { "targetingKey": "user-1" } }),
        json!({ "key": "team/two words", "context": { "name": "Ada" } }),
    ];
    for client in [Client::Python, Client::Server] {
        let told = client.evaluate(&scene, &flags).await;
        let codes: Vec<_> = told.iter().map(|told| text(&told["errorCode"])).collect();
        assert_eq!(codes, ["INVALID_CONTEXT", "TARGETING_KEY_MISSING"], "{client:?}");
    }
    let in_page = Client::Page.evaluate(&scene, &flags[..1]).await;
    assert_eq!(in_page[0]["errorCode"], "INVALID_CONTEXT", "{in_page:?}");
}
