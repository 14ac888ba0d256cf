//! The resolver in the caller's own process: what an answer takes, and what 500 prompts take of memory.

use std::{hint::black_box, time::Duration};

use benches::{
    Outcome,
    child::{ADMIN, Child},
    prompt::prompt_of_1_kb,
};
use client::{
    Client, Settings,
    resolver::{Options, Resolver},
};
use domain::{allocation::Unit, template::Values};
use e2e::{Call, text};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::report;

const TEAM: &str = "bench";
const PROMPTS: usize = 500;
/// The prompt whose traffic an experiment splits.
const TRIED: &str = "prompt-7";
/// How often it is resolved.
const ANSWERS: u32 = 300_000;
/// Those that come before, and are not counted.
const BEFORE: u32 = 10_000;
/// targets.md: the longest 99th percentile, and the most memory in KiB.
const MOST_P99: Duration = Duration::from_micros(10);
const MOST_MEMORY: u64 = 30 << 10;

/// Prints the figures beside their targets; says whether both are met.
pub(crate) async fn measure() -> Outcome<bool> {
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let platform = Child::platform(folder.path(), None, false).await?;
    let url = format!("http://{}", platform.address);
    fill(&url).await;
    let settings = Settings { url, api_key: Some(ADMIN.to_owned()), ..Settings::default() };
    let client = Client::new(settings, runtime::sources::system())?;
    let before = e2e::memory_of(std::process::id())?;
    let options = Options { team: Some(TEAM.parse()?), ..Options::default() };
    let resolver = Resolver::start(client, options).await?;
    let memory = e2e::memory_of(std::process::id())?.saturating_sub(before);
    if resolver.status().prompts != PROMPTS {
        return Err(format!("it knows {} of {PROMPTS} prompts", resolver.status().prompts).into());
    }
    let times = answers(&resolver)?;
    platform.stop().await?;
    Ok(verdict(&times, memory))
}

/// Times one answer after another: the values are read and the text is rendered each time, for another user.
fn answers(resolver: &Resolver) -> Outcome<Vec<Duration>> {
    let mut times = Vec::with_capacity(ANSWERS as usize);
    let mut arms = [0_u32; 2];
    for number in 0..BEFORE + ANSWERS {
        let unit = Unit::user(format!("user-{number}"));
        let began = Instant::now();
        let values = Values::parse(r#"{"name": "Ada", "plan": "Team", "message": "Where is my order?"}"#)?;
        let answer = black_box(resolver.resolve(TRIED, &unit, &values)?);
        let took = began.elapsed();
        let arm = answer.assignment.as_ref().ok_or("no experiment runs")?;
        arms[usize::from(arm.arm != "A")] += 1;
        if number >= BEFORE {
            times.push(took);
        }
    }
    // Each of two equal arms is served to about half of them.
    let [one, other] = arms;
    if one.abs_diff(other) > ANSWERS / 20 {
        return Err(format!("the arms are {one} and {other}").into());
    }
    Ok(times)
}

fn verdict(times: &[Duration], memory: u64) -> bool {
    let [p50, p99] = [0.5, 0.99].map(|share| report::rank(times.iter().copied(), share));
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let figure = format!(
        "\nin the process: {ANSWERS} answers of 1 KB with an experiment, p50 {:.1} µs, p99 {:.1} µs",
        micros(p50),
        micros(p99)
    );
    let fast = report::target(&figure, &format!("p99 under {} µs", MOST_P99.as_micros()), p99 < MOST_P99);
    let figure = format!("in the process: {PROMPTS} prompts, {:.1} MiB of memory", mib(memory));
    let small = report::target(&figure, &format!("under {:.0} MiB", mib(MOST_MEMORY)), memory < MOST_MEMORY);
    fast && small
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

async fn fill(url: &str) {
    let post = async |path: String, body: &Value, status: u16| {
        Call::post(path, body).key(ADMIN).send_to(url).await.expect(status)
    };
    for number in 0..PROMPTS {
        let body = json!({ "name": format!("prompt-{number}"), "team_id": TEAM, "gate": { "mode": "off" } });
        let made = post("/api/prompts".to_owned(), &body, 201).await;
        let path = format!("/api/prompts/{}", text(&made["prompt_id"]));
        let first = post(format!("{path}/versions"), &prompt_of_1_kb(), 201).await;
        let live = json!({ "version_id": first["version_id"], "environment": "production" });
        post(format!("{path}/promote"), &live, 200).await;
        if made["name"] == TRIED {
            let mut other = prompt_of_1_kb();
            other["config"] = json!({ "number": number });
            let second = post(format!("{path}/versions"), &other, 201).await;
            let variants = [first, second].map(|version| json!({ "version_id": version["version_id"] }));
            post(format!("{path}/experiments"), &json!({ "variants": variants }), 201).await;
        }
    }
}
