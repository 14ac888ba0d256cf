//! Rollbacks as processes see them that take no part in them: with the cache in order, and with each fault of it.
//!
//! Three processes of `resolve` are read 500 times a second each, while another process rolls back. An answer is late
//! by the time between the rollback's answer and the last read that began later and still saw the version before.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::{HeaderMap, Method};
use benches::Outcome;
use e2e::{ADMIN, Call, Fleet, FleetSettings, Profile, text};
use runtime::configuration::name;
use serde_json::{Value, json};
use testkit::{
    cache_server::CacheServer,
    runtime_api::{Function, http::event_of},
    tcp_proxy::{Behaviour, TcpProxy},
};
use tokio::{
    task::JoinSet,
    time::{Instant, interval, sleep},
};

use crate::report;

/// How many processes of `resolve` are read.
const READERS: usize = 3;
/// The time between two reads of a process.
const PACE: Duration = Duration::from_millis(2);
/// The time between two rollbacks.
const GAP: Duration = Duration::from_millis(1300);

/// What happens to the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    NoCache,
    KilledInMidRun,
    UnreachableForTheMover,
    Slow,
}

impl Fault {
    const ALL: [Self; 5] =
        [Self::Nothing, Self::NoCache, Self::KilledInMidRun, Self::UnreachableForTheMover, Self::Slow];

    fn words(self) -> &'static str {
        match self {
            Self::Nothing => "cache in order",
            Self::NoCache => "no cache",
            Self::KilledInMidRun => "cache killed in mid-run",
            Self::UnreachableForTheMover => "cache unreachable for the mover",
            Self::Slow => "cache 300 ms slow",
        }
    }

    /// How late the version before may still be seen: with a fault, as long as anything may be old.
    fn bound(self) -> Duration {
        Duration::from_secs(if matches!(self, Self::Nothing | Self::NoCache) { 1 } else { 5 })
    }
}

/// A read: when it began, and the number of the version that it saw.
struct Read {
    began: Instant,
    version: Result<u64, String>,
}

/// A rollback: when it was answered, to which number it went, and how long the cache took.
struct Rollback {
    answered: Instant,
    version: u64,
    cache_ms: Option<u64>,
}

/// Prints the figures of every fault; says whether all bounds hold.
pub(crate) async fn measure(cache_program: &Path, rollbacks: u64) -> Outcome<bool> {
    report::line(&format!("\n{rollbacks} rollbacks, {READERS} processes of resolve, 500 reads/s each"));
    let mut all_hold = true;
    for fault in Fault::ALL {
        let (reads, moves) = run(fault, cache_program.to_owned(), rollbacks).await?;
        all_hold &= tell(fault, &reads, &moves);
    }
    Ok(all_hold)
}

async fn run(fault: Fault, program: PathBuf, rollbacks: u64) -> Outcome<(Vec<Read>, Vec<Rollback>)> {
    let mut cache = CacheServer::start(&program).await?;
    let of_all = TcpProxy::start(cache.address())?;
    let of_mover = TcpProxy::start(of_all.address())?;
    let url = |proxy: &TcpProxy| (fault != Fault::NoCache).then(|| format!("redis://{}", proxy.address()));
    let settings = FleetSettings {
        sandboxes: 1,
        cache: url(&of_mover).map(|url| (name::CACHE_URL, url)).into_iter().collect(),
        profile: Profile::Release,
        ..FleetSettings::default()
    };
    let fleet = Fleet::start(settings).await;
    let prompt = prepare(&fleet, rollbacks + 1).await;
    let over = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(Mutex::new(Vec::new()));
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let url = url(&of_all).unwrap_or_default();
        let function = Arc::new(fleet.another("resolve", &[(name::CACHE_URL, &url)]));
        readers.spawn(read(function, prompt.clone(), Arc::clone(&over), Arc::clone(&reads)));
    }
    sleep(Duration::from_secs(1)).await;
    match fault {
        Fault::UnreachableForTheMover => of_mover.set(Behaviour::Refuse),
        Fault::Slow => of_all.set(Behaviour::Delay(Duration::from_millis(300))),
        Fault::Nothing | Fault::NoCache | Fault::KilledInMidRun => {}
    }
    let mut moves = Vec::new();
    for number in (1..=rollbacks).rev() {
        if fault == Fault::KilledInMidRun && number == rollbacks / 2 {
            cache.kill().await?;
        }
        let call =
            Call::post(format!("/api/prompts/{prompt}/rollback"), &json!({ "environment": "production" }));
        let answer = call.key(ADMIN).send_to(&fleet.url()).await;
        let answered = Instant::now();
        let answer = answer.expect(200);
        moves.push(Rollback {
            answered,
            version: number,
            cache_ms: answer["cache_invalidation_ms"].as_u64(),
        });
        sleep(GAP).await;
    }
    sleep(fault.bound()).await;
    over.store(true, Ordering::SeqCst);
    while let Some(ended) = readers.join_next().await {
        ended?;
    }
    let reads = std::mem::take(&mut *reads.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((reads, moves))
}

/// A prompt with so many versions, each of which was live.
async fn prepare(fleet: &Fleet, versions: u64) -> String {
    let url = fleet.url();
    let admin = async |call: Call| call.key(ADMIN).send_to(&url).await;
    let body = json!({ "name": "moving", "team_id": "bench", "gate": { "mode": "off" } });
    let prompt = admin(Call::post("/api/prompts", &body)).await.expect(201);
    let prompt = text(&prompt["prompt_id"]).to_owned();
    for number in 1..=versions {
        let body = json!({ "model_id": "m", "template_text": format!("version {number}") });
        let made = admin(Call::post(format!("/api/prompts/{prompt}/versions"), &body)).await.expect(201);
        let body = json!({ "version_id": made["version_id"], "environment": "production" });
        admin(Call::post(format!("/api/prompts/{prompt}/promote"), &body)).await.expect(200);
    }
    prompt
}

/// Reads at a steady pace, whatever the answers take.
async fn read(function: Arc<Function>, prompt: String, over: Arc<AtomicBool>, reads: Arc<Mutex<Vec<Read>>>) {
    let mut headers = HeaderMap::new();
    if let Ok(key) = format!("Bearer {ADMIN}").parse() {
        headers.insert("authorization", key);
    }
    let event = event_of(&Method::GET, &format!("/api/resolve/{prompt}"), &headers, b"");
    let mut pace = interval(PACE);
    let mut open = JoinSet::new();
    while !over.load(Ordering::SeqCst) {
        pace.tick().await;
        while open.try_join_next().is_some() {}
        let (function, event, reads) = (Arc::clone(&function), event.clone(), Arc::clone(&reads));
        open.spawn(async move {
            let began = Instant::now();
            let version = match function.invoke(event).await {
                Ok(answer) => number_in(&answer),
                Err(error) => Err(error.to_string()),
            };
            reads.lock().unwrap_or_else(PoisonError::into_inner).push(Read { began, version });
        });
    }
    while open.join_next().await.is_some() {}
    function.stop().await;
}

fn number_in(answer: &Value) -> Result<u64, String> {
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default();
    body["version_number"].as_u64().ok_or_else(|| format!("{} {body}", answer["statusCode"]))
}

fn tell(fault: Fault, reads: &[Read], moves: &[Rollback]) -> bool {
    let failed: Vec<_> = reads.iter().filter_map(|read| read.version.as_ref().err()).collect();
    let late = reads.iter().filter_map(|read| lateness(read, moves)).max().unwrap_or_default();
    let mut cache_ms: Vec<_> = moves.iter().filter_map(|rollback| rollback.cache_ms).collect();
    cache_ms.sort_unstable();
    let cache = match (cache_ms.first(), cache_ms.last()) {
        (Some(least), Some(most)) => format!("{least} to {most} ms ({} of {})", cache_ms.len(), moves.len()),
        _ => "null".to_owned(),
    };
    // What is told is what it took: as long as the cache is slow, and never twice quite the same.
    let told = cache_ms.first().is_some_and(|least| *least >= 300) && cache_ms.first() != cache_ms.last();
    let slow_enough = fault != Fault::Slow || told;
    let holds = failed.is_empty() && late <= fault.bound() && slow_enough && reads.len() > 1000;
    report::line(&format!(
        "{:32} {:>6} reads, {:>3} errors, latest {:>5} ms after the answer (bound {} s), cache_invalidation_ms {cache}: {}",
        fault.words(),
        reads.len(),
        failed.len(),
        late.as_millis(),
        fault.bound().as_secs(),
        report::word(holds),
    ));
    if let Some(error) = failed.first() {
        report::line(&format!("  the first error: {error}"));
    }
    holds
}

/// How long after a rollback's answer a read began that saw a version from before it.
fn lateness(read: &Read, moves: &[Rollback]) -> Option<Duration> {
    let seen = *read.version.as_ref().ok()?;
    let outdated = moves.iter().find(|rollback| rollback.version < seen)?;
    read.began.checked_duration_since(outdated.answered)
}
