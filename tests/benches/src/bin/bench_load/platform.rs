//! One process of the platform, at fixed rates.

use std::{sync::Arc, time::Duration};

use benches::{
    Outcome,
    child::{ADMIN, Child},
    figures::ms,
    prompt::VARIABLES,
    zipf::Zipf,
};
use e2e::{
    Dice,
    report::{line, target},
};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    Args,
    arrivals::{Outcomes, Questions, arrive},
    moves::{History, keep_moving},
    report,
    workspace::{Admin, Prompt, filled},
};

const USERS: usize = 1_000;
/// The time between two moves.
const BEAT: Duration = Duration::from_millis(200);

// targets.md: at this rate alone.
const RATE: u32 = 10_000;
const LONGEST: Duration = Duration::from_millis(5);

// targets.md.
const MOST_MEMORY_MIB: u64 = 250;
const LONGEST_START: Duration = Duration::from_secs(1);

/// Resolves, by popularity, as one of many users.
struct Resolves {
    prompts: Arc<Vec<Prompt>>,
    history: Arc<History>,
    key: String,
    /// The prompt and the user of each request.
    drawn: Vec<(usize, usize)>,
}

impl Resolves {
    fn drawn(&self, number: usize) -> (usize, usize) {
        self.drawn[number % self.drawn.len()]
    }
}

impl Questions for Resolves {
    fn request(&self, number: usize) -> Vec<u8> {
        let (prompt, user) = self.drawn(number);
        let path = format!("/api/resolve/{}?user_id=user-{user}&{VARIABLES}", self.prompts[prompt].id);
        format!("GET {path} HTTP/1.1\r\nhost: load\r\nauthorization: Bearer {}\r\n\r\n", self.key)
            .into_bytes()
    }

    fn is_right(&self, number: usize, answer: &[u8], sent: Instant, answered: Instant) -> bool {
        self.history.is_right(&self.prompts, self.drawn(number), answer, (sent, answered))
    }
}

/// Asks the bare handler, whose answer is always right.
struct Bare;

impl Questions for Bare {
    fn request(&self, _: usize) -> Vec<u8> {
        b"GET / HTTP/1.1\r\nhost: load\r\n\r\n".to_vec()
    }

    fn is_right(&self, _: usize, _: &[u8], _: Instant, _: Instant) -> bool {
        true
    }
}

/// Prints the figures; says whether all targets are met.
pub(crate) async fn measure(args: &Args) -> Outcome<bool> {
    let folder = TempDir::with_prefix("cuecard-load-")?;
    let platform = Child::platform(folder.path(), None, false).await?;
    let admin = Admin { url: format!("http://{}", platform.address), key: ADMIN };
    let (prompts, key) = filled(&admin, args.prompts.into()).await?;
    let first = prompts[1].id.clone();
    let (prompts, history, dice) = (Arc::new(prompts), Arc::default(), Dice::new(args.seed));
    let moving = keep_moving(admin, Arc::clone(&prompts), Arc::clone(&history), BEAT, Dice::new(args.seed));
    let moving = tokio::spawn(moving);
    let popularity = Zipf::of(prompts.len());
    let drawn = (0..200_000).map(|_| (popularity.draw(&dice), dice.below(USERS))).collect();
    let questions = Arc::new(Resolves { prompts, history: Arc::clone(&history), key: key.clone(), drawn });
    report::heading();
    let (mut met, mut last, mut judged) = (true, Outcomes::default(), None);
    for rate in &args.rates {
        reference(args, *rate).await?;
        let before = platform.cpu()?;
        let outcomes =
            arrive(&platform.address, Arc::clone(&questions), *rate, args.seconds, args.connections).await?;
        let p99 = report::row(&format!("resolve, {rate}/s"), &outcomes);
        let cpu = platform.cpu()?.saturating_sub(before) / (rate * args.seconds);
        line(&format!(
            "  {} µs of CPU for a request, at most {} MiB",
            cpu.as_micros(),
            platform.peak_memory()?
        ));
        met &= outcomes.failed == 0 && outcomes.wrong == 0;
        judged = judged.or((*rate == RATE).then_some(p99));
        last = outcomes;
    }
    if moving.is_finished() {
        return Err("a move was refused".into());
    }
    moving.abort();
    let (moves, slowest) = history.told()?;
    line(&format!("\n{moves} promotions and rollbacks meanwhile, the slowest in {} ms", ms(slowest)));
    report::histogram(&last);
    met &= target("no request failed or was answered wrong", "none", met);
    if let Some(p99) = judged {
        let figure = format!("p99 at {RATE} requests/s: {} ms", ms(p99));
        met &= target(&figure, &format!("under {} ms", ms(LONGEST)), p99 < LONGEST);
    }
    let memory = platform.peak_memory()?;
    met &= target(
        &format!("most memory under load: {memory} MiB"),
        &format!("under {MOST_MEMORY_MIB}"),
        memory < MOST_MEMORY_MIB,
    );
    platform.stop().await?;
    Ok(start(&folder, &first, &key).await? && met)
}

/// The bare handler at a rate: where that fails, so would anything on this machine.
async fn reference(args: &Args, rate: u32) -> Outcome<()> {
    let bare = Child::bare(1_500).await?;
    let outcomes = arrive(&bare.address, Arc::new(Bare), rate, args.seconds, args.connections).await?;
    bare.stop().await?;
    report::row(&format!("bare axum, {rate}/s"), &outcomes);
    match outcomes.failure {
        None => Ok(()),
        Some(failure) => {
            Err(format!("{} requests to the reference failed: {failure}", outcomes.failed).into())
        }
    }
}

/// How long the platform takes from its start to its first answer, over what is on the disk by now.
async fn start(folder: &TempDir, prompt: &str, key: &str) -> Outcome<bool> {
    let began = Instant::now();
    let platform = Child::platform(folder.path(), None, false).await?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    let url = format!("http://{}/api/resolve/{prompt}?{VARIABLES}", platform.address);
    client.get(url).bearer_auth(key).send().await?.error_for_status()?;
    let took = began.elapsed();
    platform.stop().await?;
    let figure = format!("from its start to its first answer: {} ms", ms(took));
    Ok(target(&figure, &format!("under {} ms", ms(LONGEST_START)), took < LONGEST_START))
}
