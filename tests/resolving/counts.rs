//! What a process counts of its answers: the metrics show each once, whatever the table does, and nobody waits long.

mod outages;

use std::{collections::BTreeMap, time::Duration};

use e2e::{ADMIN, Call, Process, text};
use serde_json::{Value, json};

use crate::scene::{Scene, resolve};

/// How old the first of what a process has counted gets before a request writes it.
const KEEP: Duration = Duration::from_mins(1);

/// How many resolves there were, by hour and version, or by hour and environment.
type Shown = BTreeMap<String, i64>;

impl Scene {
    async fn ask(&self, process: &Process, query: &[(&str, &str)]) -> u16 {
        resolve(query).key(&self.key).send(&process.router).await.status.as_u16()
    }

    async fn served(&self, process: &Process, times: usize) {
        for _ in 0..times {
            assert_eq!(self.ask(process, &[("prompt", "greeter"), ("user_id", "ada")]).await, 200);
        }
    }

    /// What the metrics of the greeter show.
    async fn shown(&self, group_by: &str) -> Shown {
        let path = format!("/api/prompts/support%2Fgreeter/metrics?group_by={group_by}");
        let metrics = self.world.call(Call::get(path).key(ADMIN)).await.expect(200);
        let of = |row: &Value| match row["environment"].as_str() {
            Some(environment) => environment.to_owned(),
            None => row["version_number"].to_string(),
        };
        let rows = metrics["data"].as_array().unwrap().iter();
        let rows = rows
            .map(|row| (format!("{} {}", &text(&row["bucket_start"])[11..13], of(row)), &row["resolves"]));
        rows.map(|(of, resolves)| (of, resolves.as_i64().unwrap())).collect()
    }

    /// Lets a minute pass, and then sends a request that is refused: it counts nothing itself.
    async fn refused(&self, process: &Process) {
        self.world.clock.advance(KEEP);
        assert_eq!(self.ask(process, &[("prompt", "nobody")]).await, 404);
    }

    /// The same until the metrics show this: on a busy machine a write may be late, and is tried again.
    async fn shows(&self, process: &Process, group_by: &str, wanted: &[(&str, i64)]) {
        let wanted: Shown = wanted.iter().map(|(of, resolves)| ((*of).to_owned(), *resolves)).collect();
        for _ in 0..60 {
            self.refused(process).await;
            if self.shown(group_by).await == wanted {
                break;
            }
        }
        // Whoever counts something twice does so now at the latest.
        self.refused(process).await;
        self.refused(process).await;
        assert_eq!(self.shown(group_by).await, wanted);
    }
}

/// A prompt whose first version is live in production.
async fn start() -> (Scene, Value) {
    let scene = Scene::start().await;
    let prompt = scene.live("greeter", r#"{"template_text": "Hello"}"#).await;
    (scene, prompt)
}

#[tokio::test]
async fn what_is_served_is_counted_by_version_environment_and_hour_and_refusals_are_not() {
    let (scene, prompt) = start().await;
    let second = scene.version(&prompt, r#"{"template_text": "Hello {{ name }}"}"#).await;
    scene.world.promote(&prompt, &second, "staging").await.expect(200);
    let process = &scene.world.process;
    scene.served(process, 5).await;
    let first = scene.get(&[("prompt", "greeter"), ("user_id", "ada")]).await;
    let again = resolve(&[("prompt", "greeter"), ("user_id", "ada")]);
    let unchanged = again.header("if-none-match", first.header("etag"));
    assert_eq!(scene.call(unchanged).await.status, 304);
    scene.post(&json!({ "prompt": "greeter" })).await.expect(200);
    scene.call(Call::get("/api/resolve/greeter")).await.expect(200);
    scene.call(Call::post("/api/resolve/greeter", &json!({}))).await.expect(200);
    let staged = [("prompt", "greeter"), ("env", "staging")];
    assert_eq!(scene.ask(process, &staged).await, 422, "a variable is missing");
    let named = json!({ "prompt": "greeter", "env": "staging", "variables": { "name": "Ada" } });
    let requests = [named.clone(), json!({ "prompt": "nobody" }), named, json!({ "prompt": "greeter" })];
    scene.call(Call::post("/api/resolve:batch", &json!({ "requests": requests }))).await.expect(200);
    assert_eq!(scene.shown("version").await, Shown::new(), "nothing is written yet");
    scene.shows(process, "version", &[("07 1", 11), ("07 2", 2)]).await;
    assert_eq!(
        scene.shown("environment").await,
        Shown::from([("07 production".to_owned(), 11), ("07 staging".to_owned(), 2)])
    );
    scene.world.clock.advance(Duration::from_hours(1));
    scene.served(process, 4).await;
    scene.shows(process, "version", &[("07 1", 11), ("07 2", 2), ("08 1", 4)]).await;
}

#[tokio::test]
async fn an_entry_of_a_batch_that_did_not_fit_is_not_counted() {
    let scene = Scene::start().await;
    let content = json!({ "template_format": "plain", "template_text": "\u{1}".repeat(40 << 10) });
    scene.live("greeter", &content.to_string()).await;
    let requests = vec![json!({ "prompt": "greeter", "fields": "text" }); 20];
    let answer =
        scene.call(Call::post("/api/resolve:batch", &json!({ "requests": requests }))).await.expect(200);
    let served =
        answer["responses"].as_array().unwrap().iter().filter(|entry| entry["status"] == 200).count();
    assert!((1..20).contains(&served), "{served}");
    scene.shows(&scene.world.process, "version", &[("07 1", i64::try_from(served).unwrap())]).await;
}

#[tokio::test]
async fn a_resolve_of_an_arm_counts_for_the_version_that_served() {
    let (scene, versions) = crate::trials::greeter().await;
    scene.split(&versions, &[0.5, 0.3, 0.2], 1, crate::trials::ALL).await;
    let mut served = BTreeMap::new();
    for number in 0..40 {
        let user = format!("user-{number}");
        let answer = scene.get(&[("prompt", "greeter"), ("user_id", &user)]).await.expect(200);
        *served.entry(format!("07 {}", answer["version_number"])).or_insert(0) += 1;
    }
    assert!(served.len() > 1, "{served:?}");
    let served: Vec<_> = served.iter().map(|(of, resolves)| (of.as_str(), *resolves)).collect();
    scene.shows(&scene.world.process, "version", &served).await;
}

#[tokio::test]
async fn nothing_is_written_before_it_is_time_nor_without_a_request_nor_for_refusals() {
    let (scene, _) = start().await;
    let (counting, refusing) = (scene.world.another_process().await, scene.world.another_process().await);
    scene.served(&counting, 3).await;
    let written = || scene.world.faults().calls("TransactWriteItems");
    let before = written();
    scene.world.clock.advance(Duration::from_millis(9_999));
    scene.served(&counting, 1).await;
    scene.refused(&refusing).await;
    scene.refused(&refusing).await;
    scene.world.clock.advance(Duration::from_mins(30));
    assert_eq!(written(), before);
    scene.shows(&counting, "version", &[("07 1", 4)]).await;
    let after = written();
    for _ in 0..5 {
        scene.refused(&counting).await;
    }
    assert_eq!(written(), after, "all of it is written");
}
