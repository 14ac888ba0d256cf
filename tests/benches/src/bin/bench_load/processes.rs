//! Many processes of resolve with few requests each, as Lambda spreads them.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, Method};
use benches::{Outcome, prompt::VARIABLES, zipf::Zipf};
use e2e::{ADMIN, Dice, Fleet, FleetSettings, Profile, report::line, report::target};
use runtime::configuration::name;
use serde_json::Value;
use testkit::{
    cache_server::CacheServer,
    runtime_api::{Function, http::event_of},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    Args,
    arrivals::Outcomes,
    moves::{History, keep_moving},
    report,
    workspace::{Admin, Prompt, filled},
};

/// Requests per second and process.
const RATE: u32 = 10;
/// How many prompts there are: all of the company's would be written for minutes.
const PROMPTS: usize = 60;
const BEAT: Duration = Duration::from_secs(1);

/// Prints the figures; says whether nothing failed and nothing was wrong.
pub(crate) async fn measure(args: &Args) -> Outcome<bool> {
    line(&format!("\n{} processes of resolve, {RATE} requests a second each", args.processes));
    if let Some(beside) = &args.beside {
        line(&format!("every second one runs {}", beside.display()));
    }
    let cache = CacheServer::start(&args.cache_program).await?;
    let settings = FleetSettings {
        sandboxes: 1,
        cache: vec![(name::CACHE_URL, cache.url())],
        profile: Profile::Release,
        ..FleetSettings::default()
    };
    let fleet = Fleet::start(settings).await;
    let admin = Admin { url: fleet.url(), key: ADMIN };
    let (prompts, _) = filled(&admin, PROMPTS).await?;
    let (prompts, history) = (Arc::new(prompts), Arc::<History>::default());
    let moving = tokio::spawn(keep_moving(
        admin,
        Arc::clone(&prompts),
        Arc::clone(&history),
        BEAT,
        Dice::new(args.seed),
    ));
    let mut clients = JoinSet::new();
    for process in 0..args.processes {
        let (url, beside) = (cache.url(), args.beside.as_ref().filter(|_| process % 2 == 1));
        let shared = [(name::CACHE_URL, url.as_str())];
        let function = match beside {
            Some(program) => fleet.start_program("resolve", program.clone(), &shared),
            None => fleet.another("resolve", &shared),
        };
        let begin = Instant::now() + Duration::from_secs(1) * u32::from(process) / (RATE * 20);
        let (prompts, history) = (Arc::clone(&prompts), Arc::clone(&history));
        let dice = Dice::new(args.seed + u64::from(process));
        clients.spawn(ask(function, prompts, history, dice, begin, RATE * args.seconds));
    }
    let mut all = Outcomes::default();
    while let Some(done) = clients.join_next().await {
        all.add(done??);
    }
    if moving.is_finished() {
        return Err("a move was refused".into());
    }
    moving.abort();
    report::heading();
    report::row("resolve", &all);
    let (moves, _) = history.told()?;
    line(&format!("{moves} promotions and rollbacks meanwhile"));
    report::histogram(&all);
    let well = all.failed == 0 && all.wrong == 0;
    Ok(target("no request failed or was answered wrong", "none", well))
}

/// Asks one process at its pace; its first answer is that of a cold start.
async fn ask(
    function: Function,
    prompts: Arc<Vec<Prompt>>,
    history: Arc<History>,
    dice: Dice,
    begin: Instant,
    requests: u32,
) -> Outcome<Outcomes> {
    let (function, popularity) = (Arc::new(function), Zipf::of(prompts.len()));
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {ADMIN}").parse()?);
    let mut open = JoinSet::new();
    for number in 0..requests {
        let due = begin + Duration::from_secs(1) * number / RATE;
        sleep_until(due).await;
        let drawn @ (prompt, user) = (popularity.draw(&dice), dice.below(1_000));
        let path = format!("/api/resolve/{}?user_id=user-{user}&{VARIABLES}", prompts[prompt].id);
        let event = event_of(&Method::GET, &path, &headers, b"");
        let (function, sent) = (Arc::clone(&function), Instant::now());
        open.spawn(async move {
            let answer = function.invoke(event).await.map_err(|error| error.to_string());
            (drawn, due, (sent, Instant::now()), answer.and_then(|answer| body_of(&answer)))
        });
    }
    let mut outcomes = Outcomes::default();
    while let Some(done) = open.join_next().await {
        match done {
            Err(panic) => outcomes.fail(panic.to_string()),
            Ok((.., Err(why))) => outcomes.fail(why),
            Ok((drawn, due, time, Ok(body))) => {
                outcomes.latencies.push(time.1 - due);
                let right = history.is_right(&prompts, drawn, body.as_bytes(), time);
                outcomes.wrong += usize::from(!right);
            }
        }
    }
    function.stop().await;
    Ok(outcomes)
}

/// The body of an answer that is one.
fn body_of(answer: &Value) -> Result<String, String> {
    let body = answer["body"].as_str().unwrap_or_default();
    if answer["statusCode"] == 200 {
        Ok(body.to_owned())
    } else {
        Err(format!("{} {body}", answer["statusCode"]))
    }
}
