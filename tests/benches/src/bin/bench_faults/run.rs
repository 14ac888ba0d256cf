//! One fault, from the platform's start to what is left of it.

use std::{collections::HashSet, time::Duration};

use benches::Outcome;
use e2e::text;
use serde_json::Value;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, interval, timeout},
};

use crate::{
    Args,
    faults::Fault,
    moves::keep_moving,
    reports::keep_reporting,
    resolves::{Resolves, resolve},
    stage::{HIDDEN, Stage},
    verdict::Verdict,
};

/// How long a fault lasts at least, however few are resolved: what may be 4 s old has to become older, and what comes
/// and goes, or is replaced in turn, has to do so several times.
const LASTS: Duration = Duration::from_secs(10);
/// How long anything may take to be as if there had been no fault: what the stream tries again comes after waits that
/// have doubled as long as the fault lasted.
const HEALED: Duration = Duration::from_mins(3);
/// The time between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// Lets a new platform meet a fault.
pub(crate) async fn through(fault: &Fault, args: &Args) -> Outcome<Verdict> {
    let mut stage = Box::pin(Stage::start(args)).await?;
    let over = watch::Sender::new(false);
    let moving = keep_moving(&stage.desk, &over);
    let mut reporting = JoinSet::new();
    reporting.spawn(keep_reporting(stage.desk.clone(), over.subscribe()));
    let resolves = Resolves::begin(&stage, &over, args.rate);
    let third = usize::try_from(args.resolves)? / 3;
    resolves.settled(third, Duration::ZERO).await?;
    (fault.breaks)(&mut stage).await?;
    stage.broke = Instant::now();
    resolves.settled(third, LASTS).await?;
    let ended = Instant::now();
    let met = (fault.heals)(&mut stage).await?;
    if met == 0 {
        return Err("nothing met the fault".into());
    }
    resolves.settled(third, Duration::ZERO).await?;
    over.send_replace(true);
    let seen = resolves.all().await?;
    all_of(moving, "a move takes for ever").await?;
    let reported: u64 = all_of(reporting, "no report is taken any more").await?.into_iter().sum();
    let (healed, redriven) = Box::pin(healed(&stage, reported)).await;
    Ok(Verdict {
        met,
        seen,
        again: stage.instances.again(),
        desk: stage.desk.clone(),
        broken: stage.broke..ended,
        reported,
        counted: counted(&stage).await,
        lost: lost(&stage).await,
        redriven,
        healed,
    })
}

/// What tasks come to, unless they take too long or one of them panics.
async fn all_of<T: 'static>(mut tasks: JoinSet<T>, late: &'static str) -> Outcome<Vec<T>> {
    let all = async {
        let mut all = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            all.push(ended?);
        }
        Outcome::Ok(all)
    };
    timeout(HEALED, all).await.map_err(|_| late)?
}

/// Waits until everything is as if there had been no fault: whether it came to be so, and how many messages that took
/// back out of the dead letters.
async fn healed(stage: &Stage, reported: u64) -> (bool, usize) {
    let is_newest = until(async || is_newest_everywhere(stage).await).await;
    let mut redriven = 0;
    let is_counted = until(async || {
        redriven += redrive(stage).await;
        counted(stage).await >= reported
    })
    .await;
    // What is counted may come once more while its message is there, and must not be counted again.
    let since = Instant::now();
    let is_quiet = until(async || {
        let left = stage.world.metrics_source().left(&stage.world.clients.sqs).await;
        let again = redrive(stage).await;
        redriven += again;
        left.is_ok_and(|left| left == 0) && again == 0 && since.elapsed() >= HIDDEN
    })
    .await;
    let is_archived = until(async || is_archived(stage).await).await;
    (is_newest && is_counted && is_quiet && is_archived, redriven)
}

/// Whether something comes to hold in time.
async fn until(mut holds: impl AsyncFnMut() -> bool) -> bool {
    let all = async {
        let mut looks = interval(LOOK);
        while !holds().await {
            looks.tick().await;
        }
    };
    timeout(HEALED, all).await.is_ok()
}

/// Whether each instance answers the newest version of every prompt, and asks the cache again.
async fn is_newest_everywhere(stage: &Stage) -> bool {
    let mut newest = Vec::new();
    for prompt in &stage.desk.prompts {
        let live = stage.desk.admin(format!("/api/prompts/{}/environments/production", prompt.id)).await;
        newest.push(live.json()["version_id"].clone());
    }
    for place in 0..stage.instances.many() {
        let mut from_cache = false;
        for (prompt, newest) in newest.iter().enumerate() {
            let answer = stage.instances.ask(place, resolve(&stage.desk, prompt)).await;
            let Some(answer) = answer.filter(|answer| answer.json()["version_id"] == *newest) else {
                return false;
            };
            from_cache |= answer.header("cuecard-source") == "cache";
        }
        if !from_cache {
            return false;
        }
    }
    true
}

/// Moves what was given up back into the queue, as somebody does after the alarm.
async fn redrive(stage: &Stage) -> usize {
    let dead: Vec<Value> = stage.world.take_dead_metrics().await;
    stage.world.send_metrics(&dead).await;
    dead.len()
}

/// How many calls the counters of all prompts know.
async fn counted(stage: &Stage) -> u64 {
    let mut counted = 0;
    for prompt in &stage.desk.prompts {
        let figures = stage.desk.admin(format!("/api/prompts/{}/metrics?bucket=day", prompt.id)).await.json();
        let rows = figures["data"].as_array().into_iter().flatten();
        counted += rows.filter_map(|row| row["calls"].as_u64()).sum::<u64>();
    }
    counted
}

/// Whether the archive has each entry of each prompt.
async fn is_archived(stage: &Stage) -> bool {
    for prompt in &stage.desk.prompts {
        let listed = stage.world.clients.s3.list_objects_v2().bucket(e2e::ARCHIVE);
        let Ok(listed) = listed.prefix(format!("audit/{}/", prompt.id)).send().await else { return false };
        let entries = list(stage, &format!("/api/audit?prompt_id={}&limit=100", prompt.id)).await;
        if listed.contents.unwrap_or_default().len() != entries.len() {
            return false;
        }
    }
    true
}

/// How many moves were acknowledged and are not in the history.
async fn lost(stage: &Stage) -> usize {
    let mut lost = 0;
    for (place, prompt) in stage.desk.prompts.iter().enumerate() {
        let moves = list(stage, &format!("/api/prompts/{}/history?limit=100", prompt.id)).await;
        let reasons = moves.iter().filter_map(|entry| entry["reason"].as_str()).map(str::to_owned);
        lost += stage.desk.ledger.lost(place, &reasons.collect::<HashSet<_>>());
    }
    lost
}

/// A whole list, page by page.
async fn list(stage: &Stage, path: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = stage.desk.admin(format!("{path}{cursor}")).await.expect(200);
        found.extend(page["data"].as_array().into_iter().flatten().cloned());
        if page["next_cursor"].is_null() {
            return found;
        }
        cursor = format!("&cursor={}", text(&page["next_cursor"]));
    }
}
