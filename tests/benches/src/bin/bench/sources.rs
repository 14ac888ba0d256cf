//! Resolve over HTTP from each of its sources, beside a reference that does as little as the source allows.

use std::{borrow::Cow, time::Duration};

use benches::{
    Outcome,
    child::{self, Child},
    load::Load,
    prompt::{prompt_of_1_kb, question},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::cache_server::CacheServer;

use crate::{
    Args,
    report::{self, Round, Target},
};

/// How many starts with empty memory are timed.
const COLD_STARTS: usize = 5;
/// The longest cold resolve.
const LONGEST_COLD: Duration = Duration::from_millis(50);
/// The longest 99th percentile from memory, in those of the reference.
const MOST_P99: f64 = 2.0;
/// The most CPU time for a request from memory.
const MOST_CPU: Duration = Duration::from_micros(25);

/// Prints the figures of every source; says whether all targets are met.
pub(crate) async fn measure(args: &Args) -> Outcome<bool> {
    let memory = from_memory(args).await?;
    let trial = with_an_experiment(args).await?;
    let cache = from_cache(args).await?;
    let table = from_table(args).await?;
    Ok(memory && trial && cache && table)
}

async fn from_memory(args: &Args) -> Outcome<bool> {
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let mut platform = Child::platform(folder.path(), None, false).await?;
    let load = Warm::on(&platform).await?.load("staging");
    let bytes = answers_from("memory", &load, &platform).await?;
    let bare = Child::bare(bytes).await?;
    let rounds =
        turns(args, Side::reference("bare axum", &bare), Side::of("from memory", &platform, &load)).await?;
    // targets.md.
    let fast = report::verdict("memory", bytes, &rounds, Target { ratio: 0.5, p99: None });
    let cheap = is_cheap(&rounds);
    let mut slowest = Duration::ZERO;
    for _ in 0..COLD_STARTS {
        platform.stop().await?;
        platform = Child::platform(folder.path(), None, false).await?;
        slowest = slowest.max(load.timed(&platform.address).await?);
    }
    platform.stop().await?;
    let figure =
        format!("cold: {} ms at most of {COLD_STARTS} starts with empty memory", report::ms(slowest));
    let cold =
        report::target(&figure, &format!("under {} ms", report::ms(LONGEST_COLD)), slowest < LONGEST_COLD);
    Ok(fast && cheap && cold)
}

/// Prints what a request from memory takes beside its targets, the medians of the rounds; says whether both are met.
fn is_cheap(rounds: &[Round]) -> bool {
    let p99 = |round: &Round| round.platform.1.p99.as_secs_f64() / round.reference.1.p99.as_secs_f64();
    let p99 = report::median(rounds.iter().map(p99));
    let figure = format!("memory: p99 {p99:.2} times the reference's");
    let short = report::target(&figure, &format!("at most {MOST_P99}"), p99 <= MOST_P99);
    let cpu = report::median(rounds.iter().map(|round| round.platform.1.cpu));
    let figure = format!("memory: {:.1} µs of CPU for a request", cpu.as_secs_f64() * 1e6);
    let cheap = report::target(&figure, &format!("at most {} µs", MOST_CPU.as_micros()), cpu <= MOST_CPU);
    short && cheap
}

/// The same prompt and user, with an experiment of two versions and without, on one platform.
async fn with_an_experiment(args: &Args) -> Outcome<bool> {
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let platform = Child::platform(folder.path(), None, false).await?;
    let warm = Warm::on(&platform).await?;
    warm.begin_experiment(&platform).await?;
    let (plain, trial) = (warm.load("staging"), warm.load("trial"));
    let bytes = answers_from("memory", &trial, &platform).await?;
    answers_from("memory", &plain, &platform).await?;
    let (without, with) =
        (Side::of("without", &platform, &plain), Side::of("with an experiment", &platform, &trial));
    let rounds = turns(args, without, with).await?;
    platform.stop().await?;
    // targets.md: at most a tenth slower.
    Ok(report::verdict("experiment", bytes, &rounds, Target { ratio: 0.9, p99: None }))
}

/// Refs and keys are asked of the cache each time; what never changes stays in memory.
async fn from_cache(args: &Args) -> Outcome<bool> {
    let cache = CacheServer::start(&args.cache_program).await?;
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let platform = Child::platform(folder.path(), Some(&cache.url()), true).await?;
    let load = Warm::on(&platform).await?.load("staging");
    let bytes = answers_from("cache", &load, &platform).await?;
    let plain = Child::plain_get(&cache.url(), bytes).await?;
    let rounds =
        turns(args, Side::reference("axum, one GET", &plain), Side::of("from the cache", &platform, &load))
            .await?;
    platform.stop().await?;
    // targets.md.
    let target = Target { ratio: 0.5, p99: Some(Duration::from_millis(5)) };
    Ok(report::verdict("cache", bytes, &rounds, target))
}

/// The embedded engine is no DynamoDB: these figures have no target, and show what the sources above save.
async fn from_table(args: &Args) -> Outcome<bool> {
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let platform = Child::platform(folder.path(), None, true).await?;
    let load = Warm::on(&platform).await?.load("staging");
    let bytes = answers_from("table", &load, &platform).await?;
    let bare = Child::bare(bytes).await?;
    let rounds =
        turns(args, Side::reference("bare axum", &bare), Side::of("from the table", &platform, &load))
            .await?;
    platform.stop().await?;
    report::figures(bytes, &rounds);
    Ok(true)
}

/// One of two that take turns.
struct Side<'a> {
    name: &'static str,
    server: &'a Child,
    load: Cow<'a, Load>,
}

impl<'a> Side<'a> {
    fn of(name: &'static str, server: &'a Child, load: &'a Load) -> Self {
        Self { name, server, load: Cow::Borrowed(load) }
    }

    fn reference(name: &'static str, server: &'a Child) -> Self {
        Self { name, server, load: Cow::Owned(Load::reference()) }
    }
}

/// Lets reference and platform take turns.
async fn turns(args: &Args, reference: Side<'_>, platform: Side<'_>) -> Outcome<Vec<Round>> {
    let time = Duration::from_secs(args.seconds);
    let mut rounds = Vec::new();
    for round in 1..=args.rounds {
        report::line(&format!(
            "{}: round {round} of {}, {} s each",
            platform.name, args.rounds, args.seconds
        ));
        let run = async |side: &Side<'_>| -> Outcome<_> {
            Ok((side.name, side.load.run(side.server, args.connections, time).await?))
        };
        rounds.push(Round { reference: run(&reference).await?, platform: run(&platform).await? });
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

/// A prompt that is resolved, and the key that does it.
struct Warm {
    prompt: String,
    version: String,
    key: String,
}

impl Warm {
    /// Writes it; its version is live in staging.
    async fn on(platform: &Child) -> Outcome<Self> {
        let prompt = call(platform, "/api/prompts", json!({ "name": "warm", "team_id": "bench" })).await?;
        let prompt = text(&prompt["prompt_id"]);
        let version = call(platform, &format!("/api/prompts/{prompt}/versions"), prompt_of_1_kb()).await?;
        let key = json!({ "team_id": "bench", "role": "resolver", "name": "bench" });
        let key = text(&call(platform, "/api/keys", key).await?["secret"]);
        let warm = Self { prompt, version: text(&version["version_id"]), key };
        warm.promote(platform, "staging").await?;
        Ok(warm)
    }

    async fn promote(&self, platform: &Child, environment: &str) -> Outcome<()> {
        let promotion = json!({ "version_id": self.version, "environment": environment });
        call(platform, &format!("/api/prompts/{}/promote", self.prompt), promotion).await.map(|_| ())
    }

    /// Starts an experiment of it and a version that differs in its settings, in an environment of their own.
    async fn begin_experiment(&self, platform: &Child) -> Outcome<()> {
        let mut second = prompt_of_1_kb();
        second["config"] = json!({ "second": true });
        let second = call(platform, &format!("/api/prompts/{}/versions", self.prompt), second).await?;
        self.promote(platform, "trial").await?;
        let variants = json!([{ "version_id": self.version }, { "version_id": second["version_id"] }]);
        let experiment = json!({ "environment": "trial", "variants": variants });
        call(platform, &format!("/api/prompts/{}/experiments", self.prompt), experiment).await.map(|_| ())
    }

    /// The request that resolves it.
    fn load(&self, environment: &str) -> Load {
        Load::get(&question(&format!("env={environment}")), Some(&self.key))
    }
}

/// Posts as the admin.
async fn call(platform: &Child, path: &str, body: Value) -> Outcome<Value> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    let url = format!("http://{}{path}", platform.address);
    let answer = client.post(url).bearer_auth(child::ADMIN).json(&body).send().await?.error_for_status()?;
    Ok(answer.json().await?)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
