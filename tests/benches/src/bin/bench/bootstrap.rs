//! The program of resolve as it is deployed: its size, its start, its memory, and what its handler takes.

use std::{fs, path::Path, time::Duration};

use axum::http::{HeaderMap, Method};
use benches::{
    Outcome,
    prompt::{prompt_of_1_kb, question},
};
use e2e::{ADMIN, Call, Fleet, FleetSettings, Profile, bootstrap, text};
use serde_json::{Value, json};
use testkit::runtime_api::{Function, http::event_of};
use tokio::time::Instant;

use crate::report::{line, median, ms, rank, target};

/// How many invocations of a warm process are timed, and how often: of its lines the last 1,000 are kept.
const INVOCATIONS: usize = 500;
const ROUNDS: usize = 10;

// targets.md.
const MOST_BYTES: u64 = 10_000_000;
const LONGEST_START: Duration = Duration::from_millis(20);
const LONGEST_HANDLING_MS: f64 = 1.0;
const MOST_MEMORY_KIB: u64 = 24 * 1024;

/// Prints the figures beside their targets; says whether all are met.
pub(crate) async fn measure(starts: usize) -> Outcome<bool> {
    line("\nbuilds resolve as it is deployed, for this machine (some minutes the first time)");
    let program = bootstrap("resolve", Profile::Lambda);
    let fleet =
        Fleet::start(FleetSettings { sandboxes: 1, profile: Profile::Release, ..FleetSettings::default() })
            .await;
    let event = prepare(&fleet).await?;
    let cold = cold_starts(&fleet, &program, &event, starts).await?;
    let function = fleet.start_program("resolve", program.clone(), &[]);
    let warm = warm_invocations(&function, &event).await?;
    let memory = peak_memory_kib(&function)?;
    function.stop().await;
    let bytes = fs::metadata(&program)?.len();
    let (usual, slowest) = (median(cold.iter().copied()), rank(cold.iter().copied(), 1.0));
    let p99 = rank(warm.iter().copied(), 0.99);
    let p50 = median(warm.iter().copied());
    let figures = [
        (format!("program of resolve: {bytes} bytes"), format!("under {MOST_BYTES}"), bytes < MOST_BYTES),
        (
            format!(
                "from its start to its first answer: {} ms (median of {starts}; slowest {})",
                ms(usual),
                ms(slowest)
            ),
            format!("under {} ms", ms(LONGEST_START)),
            usual < LONGEST_START,
        ),
        (
            format!("in the handler, warm: p50 {p50:.2} ms, p99 {p99:.2} ms"),
            format!("p99 under {LONGEST_HANDLING_MS:.2} ms"),
            p99 < LONGEST_HANDLING_MS,
        ),
        (format!("most memory: {memory} KiB"), format!("under {MOST_MEMORY_KIB}"), memory < MOST_MEMORY_KIB),
    ];
    let met = figures.map(|(figure, wanted, met)| target(&figure, &wanted, met));
    Ok(met.iter().all(|met| *met))
}

/// Writes what is resolved, and makes the event that resolves it.
async fn prepare(fleet: &Fleet) -> Outcome<Value> {
    let url = fleet.url();
    let admin = async |call: Call| call.key(ADMIN).send_to(&url).await;
    let prompt = json!({ "name": "warm", "team_id": "bench", "gate": { "mode": "off" } });
    let prompt = admin(Call::post("/api/prompts", &prompt)).await.expect(201);
    let path = format!("/api/prompts/{}", text(&prompt["prompt_id"]));
    let version = admin(Call::post(format!("{path}/versions"), &prompt_of_1_kb())).await.expect(201);
    let promotion = json!({ "version_id": version["version_id"], "environment": "production" });
    admin(Call::post(format!("{path}/promote"), &promotion)).await.expect(200);
    let key = json!({ "team_id": "bench", "role": "resolver", "name": "bench" });
    let key = admin(Call::post("/api/keys", &key)).await.expect(201);
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {}", text(&key["secret"])).parse()?);
    Ok(event_of(&Method::GET, &question("env=production"), &headers, b""))
}

/// How long each of so many new processes takes from its start to its first answer.
async fn cold_starts(fleet: &Fleet, program: &Path, event: &Value, starts: usize) -> Outcome<Vec<Duration>> {
    let mut cold = Vec::new();
    for _ in 0..starts {
        let began = Instant::now();
        let function = fleet.start_program("resolve", program.to_owned(), &[]);
        answered(&function, event).await?;
        cold.push(began.elapsed());
        function.stop().await;
    }
    Ok(cold)
}

/// What many invocations, one after the other, took in the handler, as the function's own metrics say.
async fn warm_invocations(function: &Function, event: &Value) -> Outcome<Vec<f64>> {
    answered(function, event).await?;
    let mut warm = Vec::new();
    for _ in 0..ROUNDS {
        for _ in 0..INVOCATIONS {
            answered(function, event).await?;
        }
        let said = function.take_lines();
        let lines = said.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        warm.extend(
            lines
                .flat_map(|line| line["latency"].as_array().cloned().unwrap_or_default())
                .filter_map(|ms| ms.as_f64()),
        );
    }
    // The last values are still kept back.
    let all = ROUNDS * INVOCATIONS;
    if warm.len() * 10 < all * 9 {
        return Err(format!("of {all} invocations only {} were counted", warm.len()).into());
    }
    Ok(warm)
}

async fn answered(function: &Function, event: &Value) -> Outcome<()> {
    let answer = function.invoke(event.clone()).await?;
    if answer["statusCode"] == 200 { Ok(()) } else { Err(format!("not 200: {answer}").into()) }
}

/// The most that its process ever held resident, in KiB.
fn peak_memory_kib(function: &Function) -> Outcome<u64> {
    let id = function.pids().into_iter().flatten().next().ok_or("the process has ended")?;
    Ok(e2e::peak_memory_of(id)?)
}
