//! Resolve over HTTP from each of its sources, beside a reference that does as little as the source allows.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::cache_server::CacheServer;

use crate::{
    Args, Outcome,
    child::{self, Child},
    load::Load,
    report::{self, Round, Target},
};

/// How many starts with empty memory are timed.
const COLD_STARTS: usize = 5;
/// The longest cold resolve.
const LONGEST_COLD: Duration = Duration::from_millis(50);

/// Prints the figures of every source; says whether all targets are met.
pub(crate) async fn measure(args: &Args) -> Outcome<bool> {
    let memory = from_memory(args).await?;
    let cache = from_cache(args).await?;
    let table = from_table(args).await?;
    Ok(memory && cache && table)
}

async fn from_memory(args: &Args) -> Outcome<bool> {
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let mut platform = Child::platform(folder.path(), None, false).await?;
    let load = prepare(&platform).await?;
    let bytes = answers_from("memory", &load, &platform).await?;
    let bare = Child::bare(bytes).await?;
    let rounds = turns(args, (&bare, "bare axum"), (&platform, "from memory"), &load).await?;
    // Issue «Loop»: at least 0.35 of the reference's requests per second.
    let warm = report::verdict("memory", bytes, &rounds, Target { ratio: 0.35, p99: None });
    let mut slowest = Duration::ZERO;
    for _ in 0..COLD_STARTS {
        platform.stop().await;
        platform = Child::platform(folder.path(), None, false).await?;
        slowest = slowest.max(load.timed(&platform.address).await?);
    }
    platform.stop().await;
    let figure =
        format!("cold: {} ms at most of {COLD_STARTS} starts with empty memory", report::ms(slowest));
    let cold =
        report::target(&figure, &format!("under {} ms", report::ms(LONGEST_COLD)), slowest < LONGEST_COLD);
    Ok(warm && cold)
}

/// Refs and keys are asked of the cache each time; what never changes stays in memory.
async fn from_cache(args: &Args) -> Outcome<bool> {
    let cache = CacheServer::start(&args.cache_program).await?;
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let platform = Child::platform(folder.path(), Some(&cache.url()), true).await?;
    let load = prepare(&platform).await?;
    let bytes = answers_from("cache", &load, &platform).await?;
    let plain = Child::plain_get(&cache.url(), bytes).await?;
    let rounds = turns(args, (&plain, "axum, one GET"), (&platform, "from the cache"), &load).await?;
    platform.stop().await;
    // targets.md.
    let target = Target { ratio: 0.5, p99: Some(Duration::from_millis(5)) };
    Ok(report::verdict("cache", bytes, &rounds, target))
}

/// The embedded engine is no DynamoDB: these figures have no target, and show what the sources above save.
async fn from_table(args: &Args) -> Outcome<bool> {
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let platform = Child::platform(folder.path(), None, true).await?;
    let load = prepare(&platform).await?;
    let bytes = answers_from("table", &load, &platform).await?;
    let bare = Child::bare(bytes).await?;
    let rounds = turns(args, (&bare, "bare axum"), (&platform, "from the table"), &load).await?;
    platform.stop().await;
    report::figures(bytes, &rounds);
    Ok(true)
}

/// Lets reference and platform take turns.
async fn turns(
    args: &Args,
    (reference, its_name): (&Child, &'static str),
    (platform, its_own): (&Child, &'static str),
    load: &Load,
) -> Outcome<Vec<Round>> {
    let time = Duration::from_secs(args.seconds);
    let mut rounds = Vec::new();
    for round in 1..=args.rounds {
        report::line(&format!("{its_own}: round {round} of {}, {} s each", args.rounds, args.seconds));
        let reference = (its_name, Load::reference().run(reference, args.connections, time).await?);
        let platform = (its_own, load.run(platform, args.connections, time).await?);
        rounds.push(Round { reference, platform });
    }
    Ok(rounds)
}

/// Asks twice, for the first answer may come from elsewhere; returns the length of the body.
async fn answers_from(source: &str, load: &Load, platform: &Child) -> Outcome<usize> {
    load.once(&platform.address).await?;
    let (head, bytes) = load.once(&platform.address).await?;
    if head.contains(&format!("cuecard-source: {source}\r\n")) {
        return Ok(bytes);
    }
    Err(format!("the answer was to come from {source}:\n{head}").into())
}

/// Writes what is resolved, and makes the request that resolves it.
async fn prepare(platform: &Child) -> Outcome<Load> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    let call = async |path: &str, body: Value| -> Outcome<Value> {
        let url = format!("http://{}{path}", platform.address);
        let answer =
            client.post(url).bearer_auth(child::ADMIN).json(&body).send().await?.error_for_status()?;
        Ok(answer.json().await?)
    };
    let prompt = call("/api/prompts", json!({ "name": "warm", "team_id": "bench" })).await?;
    let id = prompt["prompt_id"].as_str().unwrap_or_default();
    let version = call(&format!("/api/prompts/{id}/versions"), prompt_of_1_kb()).await?;
    let promotion = json!({ "version_id": version["version_id"], "environment": "staging" });
    call(&format!("/api/prompts/{id}/promote"), promotion).await?;
    let key = json!({ "team_id": "bench", "role": "resolver", "name": "bench" });
    let key = call("/api/keys", key).await?;
    Ok(Load::get(&question("env=staging"), key["secret"].as_str()))
}

/// A version of 1 KB with three variables.
pub(crate) fn prompt_of_1_kb() -> Value {
    let sentence =
        "You answer customers of Larkfield kindly, in at most three sentences, and never promise a date. ";
    let template = format!(
        "{}Customer: {{{{ name }}}}\nPlan: {{{{ plan }}}}\nMessage: {{{{ message }}}}\n",
        sentence.repeat(10)
    );
    json!({ "template_text": template, "model_id": "mock/echo" })
}

/// The path and query that resolve it, under the name `warm`.
pub(crate) fn question(environment: &str) -> String {
    let variables = "%7B%22name%22%3A%22Ada%22%2C%22plan%22%3A%22Team%22%2C%22message%22%3A%22Where%20is%20my%20order%3F%22%7D";
    format!("/api/resolve/warm?{environment}&user_id=user-1&variables={variables}")
}
