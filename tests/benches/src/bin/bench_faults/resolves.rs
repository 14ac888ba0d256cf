//! The resolves, at a steady pace, by a bounded number of callers.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use benches::Outcome;
use e2e::{Answer, Call};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, interval, timeout},
};

use crate::{
    instances::Instances,
    stage::{Desk, Stage},
};

/// How many ask at once.
const CALLERS: u32 = 16;
/// How long an answer may take.
const LONGEST: Duration = Duration::from_secs(5);
/// How often a caller asks again whose instance ended while it was asked.
const TRIES: usize = 2;

/// An answer.
pub(crate) struct Read {
    /// The place of its prompt.
    pub(crate) prompt: usize,
    pub(crate) revision: u64,
    /// The place of its version among those of its prompt; `None` where its id and its text are not of one version.
    pub(crate) version: Option<usize>,
    pub(crate) sent: Instant,
    pub(crate) answered: Instant,
    /// How old it says it is.
    pub(crate) age_ms: u64,
    /// Where it says it comes from.
    pub(crate) source: String,
}

/// What became of all resolves.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) reads: Vec<Read>,
    /// When each one failed.
    pub(crate) failed: Vec<Instant>,
    /// The first failure.
    pub(crate) failure: Option<String>,
}

/// Resolves that are going on.
pub(crate) struct Resolves {
    shared: Arc<Shared>,
    callers: JoinSet<()>,
}

struct Shared {
    desk: Arc<Desk>,
    instances: Instances,
    begun: AtomicUsize,
    seen: Mutex<Seen>,
    settled: watch::Sender<usize>,
}

impl Resolves {
    /// Begins them, at this rate, until it is over.
    pub(crate) fn begin(stage: &Stage, over: &watch::Sender<bool>, rate: u32) -> Self {
        let (desk, instances) = (stage.desk.clone(), stage.instances.clone());
        let (begun, seen, settled) = (AtomicUsize::new(0), Mutex::default(), watch::Sender::new(0));
        let shared = Arc::new(Shared { desk, instances, begun, seen, settled });
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let beat = Duration::from_secs(1) * CALLERS / rate;
            callers.spawn(shared.clone().keep_asking(beat, over.subscribe()));
        }
        Self { shared, callers }
    }

    /// Waits until so many more are answered or failed, and that long at least.
    pub(crate) async fn settled(&self, more: usize, least: Duration) -> Outcome<()> {
        let (began, mut settled) = (Instant::now(), self.shared.settled.subscribe());
        let enough = *settled.borrow() + more;
        settled.wait_for(|settled| *settled >= enough && began.elapsed() >= least).await?;
        Ok(())
    }

    /// Waits for all of them, when it is over.
    pub(crate) async fn all(mut self) -> Outcome<Seen> {
        while let Some(ended) = self.callers.join_next().await {
            ended?;
        }
        Ok(std::mem::take(&mut *self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Shared {
    async fn keep_asking(self: Arc<Self>, beat: Duration, over: watch::Receiver<bool>) {
        let mut beats = interval(beat);
        loop {
            beats.tick().await;
            if *over.borrow() {
                return;
            }
            let number = self.begun.fetch_add(1, Ordering::SeqCst);
            let prompts = self.desk.prompts.len();
            let (prompt, place) = (number % prompts, number / prompts % self.instances.many());
            let sent = Instant::now();
            let answer = timeout(LONGEST, self.ask(prompt, place)).await;
            let answer = answer.unwrap_or_else(|_| Err("no answer in time".to_owned()));
            let read = answer.map(|answer| self.read(prompt, (sent, Instant::now()), &answer));
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            match read {
                Ok(read) => seen.reads.push(read),
                Err(why) => {
                    seen.failed.push(Instant::now());
                    seen.failure.get_or_insert(why);
                }
            }
            drop(seen);
            self.settled.send_modify(|settled| *settled += 1);
        }
    }

    /// Asks an instance, and once more whatever takes its place where it ended.
    async fn ask(&self, prompt: usize, place: usize) -> Result<Answer, String> {
        for _ in 0..TRIES {
            match self.instances.ask(place, resolve(&self.desk, prompt)).await {
                Some(answer) if answer.status == 200 => return Ok(answer),
                Some(answer) => return Err(format!("{} {}", answer.status, answer.text())),
                None => {}
            }
        }
        Err("the instance ended".to_owned())
    }

    fn read(&self, prompt: usize, (sent, answered): (Instant, Instant), answer: &Answer) -> Read {
        let (body, asked) = (answer.json(), &self.desk.prompts[prompt]);
        let version = asked.versions.iter().position(|version| body["version_id"] == **version);
        Read {
            prompt,
            revision: answer.header("cuecard-revision").parse().unwrap_or_default(),
            version: version.filter(|version| body["resolved_text"] == asked.text(*version)),
            sent,
            answered,
            age_ms: answer.header("cuecard-age-ms").parse().unwrap_or(u64::MAX),
            source: answer.header("cuecard-source").to_owned(),
        }
    }
}

/// A resolve of a prompt, as an application asks for it.
pub(crate) fn resolve(desk: &Desk, prompt: usize) -> Call {
    let path = format!("/api/resolve/{}?variables=%7B%22name%22%3A%22Ada%22%7D", desk.prompts[prompt].id);
    Call::get(path).key(&desk.key)
}
