//! Events arrive at the pace of the target, whether or not those before them are answered; how long they wait to be
//! counted.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    Outcome,
    child::{Mix, State},
    report::{Progress, line, seconds, target},
};

/// Events in a second.
const RATE: u32 = 2_000;

/// The longest time from arrival to count.
const LONGEST: Duration = Duration::from_secs(5);

/// How long what is left may take when nothing arrives any more.
const PATIENCE: Duration = Duration::from_mins(2);

/// The platform under load.
struct Platform {
    process: Child,
    url: String,
    key: String,
    /// The requests that it wants, each with the number of its events.
    requests: Vec<(u32, String)>,
}

/// How counting went.
#[derive(Default)]
struct Counted {
    longest: Duration,
    failed: usize,
    left: usize,
}

/// Lets events of a mix arrive for so long; says whether they are counted in time.
pub(crate) async fn measure(mix: Mix, time: u32, seed: u64) -> Outcome<bool> {
    let core = last_core()?;
    let platform = Platform::start(&core, mix, RATE * time, seed).await?;
    let what = match mix {
        Mix::Calls => "batches of 100 calls of 20 versions",
        Mix::Crowd => "a crowd's batches, a third of the events with ids, a tenth in a trial, a fifth twice",
    };
    line(&format!(
        "\nPace: {what}. `ingest`, `rollup`, queue and table (SQLite) in one process on core {core}"
    ));
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build()?;
    let id = platform.process.id().ok_or("the platform ended by itself")?;
    let (cpu, began, ended) = (e2e::cpu_of(id)?, Instant::now(), Arc::new(AtomicBool::new(false)));
    let watching = tokio::spawn(watch(client.clone(), platform.url.clone(), Arc::clone(&ended)));
    let (events, longest_answer) = platform.load(&client).await?;
    let (took, used) = (began.elapsed(), e2e::cpu_of(id)?.saturating_sub(cpu));
    ended.store(true, Relaxed);
    let counted = watching.await??;
    let share = 100.0 * used.as_secs_f64() / took.as_secs_f64();
    let rate = f64::from(events) / took.as_secs_f64();
    let cost = used.as_secs_f64() * 1e6 / f64::from(events);
    line(&format!(
        "  {events} events accepted, {rate:.0}/s, {share:.0} % of a core, {cost:.0} µs of it for an event"
    ));
    let Counted { longest, failed, left } = counted;
    line(&format!(
        "  at most {} from arrival to acceptance, {} from there to the count",
        seconds(longest_answer),
        seconds(longest)
    ));
    let lag = longest_answer + longest;
    let figure = format!("lag at {RATE} events/s: {}, {failed} failures, {left} messages left", seconds(lag));
    Ok(target(&figure, &format!("under {}, none, none", seconds(LONGEST)), {
        lag < LONGEST && failed == 0 && left == 0
    }))
}

impl Platform {
    async fn start(core: &str, mix: Mix, events: u32, seed: u64) -> Outcome<Self> {
        let mix = if mix == Mix::Calls { "calls" } else { "crowd" };
        let mut process = Command::new("taskset")
            .args(["-c", core])
            .arg(std::env::current_exe()?)
            .args(["platform", mix, &events.to_string(), &seed.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("taskset keeps the platform on one core: {error}"))?;
        let said = process.stdout.take().ok_or("the platform cannot speak")?;
        let mut said = BufReader::new(said).lines();
        let first = next(&mut said).await?;
        let [url, key, count] = first.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("the platform said: {first}").into());
        };
        let mut requests = Vec::new();
        for _ in 0..count.parse()? {
            let line = next(&mut said).await?;
            let (events, body) = line.split_once(' ').ok_or("a request has no count")?;
            requests.push((events.parse()?, body.to_owned()));
        }
        Ok(Self { process, url: url.to_owned(), key: key.to_owned(), requests })
    }

    /// Sends all requests, each when it is due. Returns how many events were accepted, and the longest time that one
    /// of them took from when it was due.
    async fn load(&self, client: &reqwest::Client) -> Outcome<(u32, Duration)> {
        let (began, mut answers, mut sent) = (Instant::now(), JoinSet::new(), 0);
        for (events, body) in &self.requests {
            let due = began + Duration::from_secs(1) * sent / RATE;
            sleep_until(due).await;
            sent += events;
            let request = client.post(format!("{}/api/metrics", self.url)).bearer_auth(&self.key);
            let request = request.header("content-type", "application/json").body(body.clone());
            let events = *events;
            answers.spawn(async move {
                let answer: Value = request.send().await?.error_for_status()?.json().await?;
                if answer["accepted"] == events {
                    return Ok(due.elapsed());
                }
                Outcome::Err(format!("{events} events were to be accepted: {answer}").into())
            });
        }
        let mut longest = Duration::ZERO;
        while let Some(answer) = answers.join_next().await {
            longest = longest.max(answer??);
        }
        Ok((sent, longest))
    }
}

async fn next(said: &mut Lines<BufReader<ChildStdout>>) -> Outcome<String> {
    said.next_line().await?.ok_or_else(|| "the platform ended before it served".into())
}

/// Asks once a second how counting goes, until all is counted after the last event arrived.
async fn watch(client: reqwest::Client, url: String, ended: Arc<AtomicBool>) -> Outcome<Counted> {
    let (mut counted, mut progress, mut idle) = (Counted::default(), Progress::begin(), None);
    loop {
        sleep(Duration::from_secs(1)).await;
        let over = ended.load(Relaxed);
        let state: State =
            client.get(format!("{url}/state")).send().await?.error_for_status()?.json().await?;
        let lag = Duration::from_millis(u64::try_from(state.oldest_ms)?);
        counted.longest = counted.longest.max(lag);
        (counted.failed, counted.left) = (state.failed, state.left);
        progress
            .tell(|| format!("{} messages wait, the last were counted after {}", state.left, seconds(lag)));
        if over {
            let since = *idle.get_or_insert_with(Instant::now);
            if state.left == 0 || since.elapsed() > PATIENCE {
                return Ok(counted);
            }
        }
    }
}

/// The last core that this process may use.
fn last_core() -> Outcome<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let last = cores.and_then(|cores| cores.trim().rsplit([',', '-']).next());
    Ok(last.ok_or("Linux says no cores")?.to_owned())
}
