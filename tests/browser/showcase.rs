//! A platform with something of everything, as it looks after some weeks: the demo workspace, two weeks of traffic, and
//! all that goes on there.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use domain::Timestamp;
use e2e::{Call, text};
use local::{Output, demo};
use serde_json::{Value, json};
use testkit::provider::{CallInfo, Reply};

use crate::stage::Stage;

/// How many cases the slow model answers before it falls silent.
const ANSWERED: usize = 11;

/// How many days of traffic there are.
const DAYS: u64 = 14;

/// The platform, and the names of what is in it.
pub(crate) struct Showcase {
    pub(crate) stage: Stage,
    /// Prompts of the demo workspace.
    pub(crate) classifier: String,
    pub(crate) subjects: String,
    pub(crate) replies: String,
    pub(crate) changelog: String,
    /// One without a version.
    pub(crate) empty: String,
    /// A version that the gate refuses, and its run.
    pub(crate) refused: String,
    pub(crate) refused_run: String,
    /// A run that goes on.
    pub(crate) open_run: String,
    /// A run that waits for a person.
    pub(crate) undecided_run: String,
    pub(crate) experiment: String,
    pub(crate) canary: String,
    pub(crate) test_set: String,
}

/// Says back what it is asked; the slow model soon says nothing any more.
fn script() -> impl Fn(&CallInfo) -> Reply + Send + Sync + 'static {
    let asked = AtomicUsize::new(0);
    move |call| {
        let slow = call.model == "house/large" && asked.fetch_add(1, Ordering::Relaxed) >= ANSWERED;
        if slow { Reply::Hang } else { Reply::Answer(call.user().to_owned()) }
    }
}

impl Showcase {
    pub(crate) async fn start() -> Self {
        let stage = Stage::with(script()).await;
        demo::load(&stage.platform, Output::new(true)).await.unwrap();
        people_and_models(&stage).await;
        let [classifier, subjects, replies, changelog] = prompts(&stage).await;
        let (refused, refused_run) = refused(&stage, &classifier).await;
        traffic(&stage, [&classifier, &subjects, &replies, &changelog]).await;
        let experiment = experiment(&stage, &subjects).await;
        let canary = canary(&stage, &replies).await;
        let undecided_run = undecided(&stage).await;
        let run = json!({ "model_id": "house/large" });
        let open = stage.post(&format!("/api/versions/{refused}/evals"), &run).await;
        let said = json!({ "description": "Explains how to send things back." });
        let empty = stage.prompt("returns-policy", &said).await;
        let live = stage.get(&format!("/api/prompts/{classifier}")).await;
        history(&stage, &changelog).await;
        Self {
            open_run: text(&open["eval_run_id"]).to_owned(),
            test_set: text(&live["test_set_id"]).to_owned(),
            classifier,
            subjects,
            replies,
            changelog,
            empty,
            refused,
            refused_run,
            undecided_run,
            experiment,
            canary,
            stage,
        }
    }
}

/// Prompts of the demo workspace, by their ids.
async fn prompts(stage: &Stage) -> [String; 4] {
    let all = stage.get("/api/prompts").await;
    ["ticket-classifier", "subject-line-writer", "reply-drafter", "changelog-summary"].map(|name| {
        let prompt = all["data"].as_array().unwrap().iter().find(|prompt| prompt["name"] == name);
        text(&prompt.unwrap()["prompt_id"]).to_owned()
    })
}

async fn people_and_models(stage: &Stage) {
    for (role, name) in [("author", "Mara Lindt"), ("releaser", "Jonas Weber"), ("resolver", "help desk")] {
        stage.key(role, name).await;
    }
    for (model, input, output) in [("house/large", 3, 15), ("house/small", 1, 4)] {
        let entry = json!({
            "provider": "openai", "base_url": stage.provider.url(),
            "input_usd_per_mtok": input, "output_usd_per_mtok": output,
        });
        stage.done(Call::put(format!("/api/models/{model}"), &entry)).await;
    }
}

/// What a version of a prompt says, to be written anew with changes.
async fn content(stage: &Stage, prompt: &str, changes: &Value) -> Value {
    let newest = stage.get(&format!("/api/prompts/{prompt}")).await;
    let version = stage.get(&format!("/api/versions/{}", text(&newest["newest_version_id"]))).await;
    let kept = [
        "system_prompt",
        "template_text",
        "template_format",
        "few_shot_examples",
        "variables",
        "model_id",
        "temperature",
        "max_tokens",
    ];
    let mut body: serde_json::Map<String, Value> =
        kept.iter().map(|name| ((*name).to_owned(), version[name].clone())).collect();
    body.extend(changes.as_object().unwrap().clone());
    Value::from(body)
}

async fn write(stage: &Stage, prompt: &str, changes: &Value) -> Value {
    let body = content(stage, prompt, changes).await;
    let version = stage.post(&format!("/api/prompts/{prompt}/versions"), &body).await;
    if let Some(run) = version["eval_run_id"].as_str() {
        stage.decided(run).await;
    }
    version
}

/// A version with too few examples: many cases regress.
async fn refused(stage: &Stage, prompt: &str) -> (String, String) {
    let whole = content(stage, prompt, &json!({})).await;
    let few: Vec<_> = whole["few_shot_examples"].as_array().unwrap().iter().take(10).cloned().collect();
    let changes = json!({ "few_shot_examples": few, "note": "Fewer examples: it costs a fifth" });
    let version = write(stage, prompt, &changes).await;
    (text(&version["version_id"]).to_owned(), text(&version["eval_run_id"]).to_owned())
}

/// Reports of each of the last days, for the versions that are live.
async fn traffic(stage: &Stage, prompts: [&String; 4]) {
    let now = stage.platform.release().registry.sources.now();
    for (nth, prompt) in prompts.into_iter().enumerate() {
        let live = stage.get(&format!("/api/prompts/{prompt}")).await;
        let mut events = Vec::new();
        for day in 0..DAYS {
            let calls = 3 + (day * 7 + nth as u64 * 5) % 6 + day / 4;
            for call in 0..calls {
                let at = now.minus(Duration::from_secs(day * 86_400 + call * 600 + 60));
                events.push(report(
                    &live["production_version_id"],
                    at,
                    nth as u64 * 31 + day * 17 + call * 13,
                ));
            }
        }
        for some in events.chunks(500) {
            stage.post("/api/metrics", &json!({ "events": some })).await;
        }
    }
}

/// One call; `dice` makes it differ from others.
fn report(version: &Value, at: Timestamp, dice: u64) -> Value {
    json!({
        "version_id": version, "timestamp": at, "latency_ms": 320 + dice * 7 % 260, "cost_usd": 0.0011,
        "input_tokens": 240 + dice % 90, "output_tokens": 40 + dice % 37, "error": dice.is_multiple_of(41),
        "user_rating": if dice.is_multiple_of(9) { 2 } else { 4 + dice % 2 },
    })
}

/// Resolves as so many users, and reports how each answer was: the newer version is liked a little better.
async fn visitors(stage: &Stage, prompt: &str, users: u64, variables: &Value) {
    let mut events = Vec::new();
    for user in 0..users {
        let ask = json!({ "prompt": prompt, "variables": variables, "user_id": format!("user-{user}") });
        let answer = stage.post("/api/resolve", &ask).await;
        let newer = answer["version_number"].as_u64().unwrap() > 2;
        let rating = if (user * 7) % 10 < if newer { 7 } else { 4 } { 5 } else { 3 };
        events.push(json!({
            "resolution_token": answer["resolution_token"], "latency_ms": 300 + user * 11 % 190,
            "user_rating": rating, "input_tokens": 200, "output_tokens": 45, "cost_usd": 0.0009,
        }));
    }
    stage.post("/api/metrics", &json!({ "events": events })).await;
}

/// An experiment whose arms were evaluated on the same cases, so that people can compare their answers.
async fn experiment(stage: &Stage, prompt: &str) -> String {
    let live = stage.get(&format!("/api/prompts/{prompt}")).await;
    let emails = ["the spring sale", "a notebook of linen", "shared folders"].into_iter().enumerate();
    let case = |(number, product): (usize, &str)| {
        let vars =
            json!({ "product": product, "audience": "readers of the newsletter", "offer": "look at it" });
        json!({ "case_id": format!("email-{number}"), "vars": vars, "assert": [{ "type": "contains", "value": product }] })
    };
    let cases = emails.map(|email| case(email).to_string() + "\n").collect();
    let set = stage.test_set_of("growth", "emails", cases).await;
    stage.done(Call::patch(format!("/api/prompts/{prompt}"), &json!({ "test_set_id": set }))).await;
    let control = text(&live["production_version_id"]);
    let run = stage.post(&format!("/api/versions/{control}/evals"), &json!({})).await;
    stage.decided(text(&run["eval_run_id"])).await;
    let before = content(stage, prompt, &json!({})).await;
    let template = format!("{}\nBegin each line with a verb.", text(&before["template_text"]));
    let version =
        write(stage, prompt, &json!({ "note": "Ask for a verb first", "template_text": template })).await;
    let variants = json!([
        { "version_id": live["production_version_id"] }, { "version_id": version["version_id"] },
    ]);
    let body = json!({ "variants": variants });
    let started = stage.post(&format!("/api/prompts/{prompt}/experiments"), &body).await;
    visitors(stage, prompt, 40, &sample(&version)).await;
    text(&started["experiment_id"]).to_owned()
}

async fn canary(stage: &Stage, prompt: &str) -> String {
    let newest = stage.get(&format!("/api/prompts/{prompt}")).await;
    let body = json!({
        "version_id": newest["newest_version_id"], "reason": "Orders are listed now",
        "stages": [
            { "percent": 25.0, "min_samples": 50, "bake_minutes": 15 },
            { "percent": 60.0, "min_samples": 200, "bake_minutes": 60 },
        ],
    });
    let started = stage.post(&format!("/api/prompts/{prompt}/rollouts"), &body).await;
    let version = stage.get(&format!("/api/versions/{}", text(&newest["newest_version_id"]))).await;
    visitors(stage, prompt, 24, &sample(&version)).await;
    text(&started["rollout_id"]).to_owned()
}

/// A value for each variable.
fn sample(version: &Value) -> Value {
    let variables = version["variables"].as_array().unwrap().iter();
    let value = |variable: &Value| match text(&variable["type"]) {
        "string" => json!("a notebook"),
        "number" => json!(3),
        _ => json!([]),
    };
    variables.map(|variable| (text(&variable["name"]).to_owned(), value(variable))).collect()
}

/// A version of which nobody can say by figures alone whether it is good enough.
async fn undecided(stage: &Stage) -> String {
    let languages = ["Guten Morgen", "Bonjour", "Buenos días", "Hej", "Dzień dobry"];
    let case = |number: usize| {
        let message = format!("{} {number}", languages[number % languages.len()]);
        let expected = if number % 4 == 3 { "something else" } else { &message };
        json!({ "case_id": format!("greeting-{number}"), "vars": { "message": message }, "expected": expected })
    };
    let cases = (1..=20).map(|number| case(number).to_string() + "\n").collect();
    let set = stage.test_set("greetings", cases).await;
    let gate = json!({ "mode": "required", "min_pass_rate": 0.8, "min_cases": 1 });
    let more =
        json!({ "test_set_id": set, "gate": gate, "description": "Greets people in their own language." });
    let prompt = stage.prompt("greeting", &more).await;
    let body =
        json!({ "template_text": "{{ message }}", "model_id": "house/small", "note": "First version" });
    let version = stage.post(&format!("/api/prompts/{prompt}/versions"), &body).await;
    let run = stage.decided(text(&version["eval_run_id"])).await;
    assert_eq!(run["gate_result"], "manual_review");
    text(&run["eval_run_id"]).to_owned()
}

/// Moves, and a lock.
async fn history(stage: &Stage, prompt: &str) {
    let newest = stage.get(&format!("/api/prompts/{prompt}")).await;
    let body = json!({
        "version_id": newest["newest_version_id"], "environment": "production", "reason": "Shorter summaries",
    });
    stage.post(&format!("/api/prompts/{prompt}/promote"), &body).await;
    let lock = json!({ "reason": "The spring launch is on Thursday" });
    stage.done(Call::put(format!("/api/prompts/{prompt}/environments/staging/lock"), &lock)).await;
}
