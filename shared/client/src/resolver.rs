//! A resolver in the caller's own process.
//!
#![doc = include_str!("../../../docs/resolver.md")]

mod answer;
mod contents;
mod file;
mod polling;
mod reports;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::{
    Environment, ReadAt, TeamId,
    allocation::Unit,
    name::production,
    prompt::{archived, no_such_prompt, not_live},
    template::Values,
};
use tokio::{
    sync::{Mutex, watch},
    task::JoinSet,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

pub use self::{
    answer::Answer,
    contents::{Prompt, Version},
    reports::Counts,
};
use self::{contents::Contents, reports::Reports};
use crate::{Client, Error, Result, metrics::Outcome};

/// What is resolved, and how fresh it is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose prompts; `None`: those of the key's team. A key for all teams has to say it.
    pub team: Option<TeamId>,
    /// Where they are live.
    pub environment: Environment,
    /// How long after the beginning of a look at the platform the next one begins. A move is seen that much later than the platform itself
    /// sees it, which is within a second.
    pub every: Duration,
    /// How often reports are sent.
    pub report_every: Duration,
    /// How many reports wait at most; what comes then is dropped, and counted.
    pub most_reports: usize,
    /// From what age on answers are marked as stale.
    pub stale_after: Duration,
    /// A file of [`Resolver::snapshot_to`] to start from where the platform does not answer. It need not be there.
    pub file: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            team: None,
            environment: production(),
            every: Duration::from_secs(1),
            report_every: Duration::from_secs(1),
            most_reports: 10_000,
            stale_after: Duration::from_secs(10),
            file: None,
        }
    }
}

/// How a resolver is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// How old what it serves is.
    pub age: Duration,
    /// Whether that is older than it should be.
    pub stale: bool,
    /// How many prompts it knows.
    pub prompts: usize,
    /// Why the last look at the platform failed, where it did.
    pub failure: Option<String>,
    /// What became of reports.
    pub reports: Counts,
}

/// A resolver. Cloning it shares it; with the last of them its work in the background ends.
#[derive(Clone)]
pub struct Resolver(Arc<Running>);

struct Running {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

/// What the callers and the work in the background share.
struct Shared {
    client: Client,
    options: Options,
    known: watch::Sender<Known>,
    failure: watch::Sender<Option<String>>,
    /// One look at the platform at a time.
    looking: Mutex<()>,
    reports: Reports,
}

/// What is known, and since when.
#[derive(Clone)]
struct Known {
    contents: Arc<Contents>,
    read_at: ReadAt,
    /// How old it was when it was read.
    age: Duration,
}

impl Resolver {
    /// A resolver that knows all prompts of its team, from the platform or else from the file.
    ///
    /// A file that is damaged, altered or another's is an error, also while the platform answers: nobody should find
    /// that out in an outage. So is a key that the platform refuses: what it knew is no longer its holder's.
    pub async fn start(client: Client, options: Options) -> Result<Self> {
        let kept = match &options.file {
            Some(path) => file::read(path, &client, &options).await?,
            None => None,
        };
        let is_kept = kept.is_some();
        let read_at = ReadAt::now(&client.sources);
        let known = kept.unwrap_or_else(|| Known { contents: Arc::default(), read_at, age: Duration::ZERO });
        let shared = Arc::new(Shared {
            reports: Reports::new(options.most_reports),
            client,
            options,
            known: watch::Sender::new(known),
            failure: watch::Sender::default(),
            looking: Mutex::default(),
        });
        if let Err(error) = shared.look().await
            && (!is_kept || error.refuses_the_key())
        {
            return Err(error);
        }
        let mut tasks = JoinSet::new();
        tasks.spawn(keep_looking(Arc::clone(&shared)));
        tasks.spawn(keep_reporting(Arc::clone(&shared)));
        Ok(Self(Arc::new(Running { shared, _tasks: tasks })))
    }

    /// Resolves a prompt by its id, its name or `team/name`, from memory alone.
    ///
    /// The errors are those of the platform: no such prompt, nothing live, archived, and values that do not fit.
    pub fn resolve(&self, prompt: &str, unit: &Unit, values: &Values) -> domain::Result<Answer> {
        let Shared { client, options, known, .. } = &*self.0.shared;
        let known = known.borrow().clone();
        let prompt = known.contents.find(prompt).ok_or_else(no_such_prompt)?;
        if prompt.archived {
            return Err(archived(&prompt.name));
        }
        let live = prompt.live.as_ref().ok_or_else(|| not_live(&prompt.name, &options.environment))?;
        let nonce = client.sources.bytes();
        let placed = prompt.allocation.as_ref().and_then(|allocation| allocation.place(unit, nonce, None));
        let (version, assignment) = match placed {
            Some((arm, assignment)) => (prompt.version_at(arm.version, live), Some(assignment)),
            None => (live, None),
        };
        let age = known.age(client);
        Ok(Answer {
            rendered: version.compiled.render(values)?,
            environment: options.environment.clone(),
            prompt: Arc::clone(prompt),
            version: Arc::clone(version),
            assignment,
            sticky: unit.is_sticky(),
            stale: age > options.stale_after,
            age,
        })
    }

    /// Reports what a call with this answer came to. It waits for nothing and fails never: it is sent with others
    /// later, and where too many wait, it is dropped and counted.
    pub fn report(&self, answer: &Answer, outcome: Outcome) {
        let Shared { client, reports, .. } = &*self.0.shared;
        reports.add(answer.event(outcome, client.now()));
    }

    /// Looks at the platform now, and not only when it is time for that.
    pub async fn refresh(&self) -> Result<()> {
        self.0.shared.look().await
    }

    /// Waits until the platform has been looked at once more, with success.
    pub async fn refreshed(&self) {
        // Its sender lives as long as this resolver.
        let _ = self.0.shared.known.subscribe().changed().await;
    }

    /// Sends all reports that wait, as a process does before it ends.
    pub async fn flush(&self) -> Result<()> {
        self.0.shared.reports.send(&self.0.shared.client).await
    }

    /// Keeps what is known in a file, signed with the API key. Who has that key alone can start from it, and all who
    /// can read it can read the prompts.
    pub async fn snapshot_to(&self, path: &Path) -> Result<()> {
        let Shared { client, options, known, .. } = &*self.0.shared;
        let known = known.borrow().clone();
        file::write(path, client, options, &known).await
    }

    /// How it is.
    pub fn status(&self) -> Status {
        let Shared { client, options, known, failure, reports, .. } = &*self.0.shared;
        let known = known.borrow().clone();
        let age = known.age(client);
        Status {
            age,
            stale: age > options.stale_after,
            prompts: known.contents.prompts(),
            failure: failure.borrow().clone(),
            reports: reports.counts(),
        }
    }
}

impl Known {
    fn age(&self, client: &Client) -> Duration {
        self.read_at.known_age(&client.sources) + self.age
    }
}

/// What went wrong is in the status, and the next look makes it good.
async fn keep_looking(shared: Arc<Shared>) {
    let mut time = each(shared.options.every);
    loop {
        time.tick().await;
        let _ = shared.look().await;
    }
}

/// What could not be sent waits, and is sent with the next.
async fn keep_reporting(shared: Arc<Shared>) {
    let mut time = each(shared.options.report_every);
    loop {
        time.tick().await;
        let _ = shared.reports.send(&shared.client).await;
    }
}

/// From now on, counted from the beginning of each time: how long one takes delays the next one only where that is longer.
fn each(period: Duration) -> Interval {
    let mut time = interval_at(Instant::now() + period, period);
    time.set_missed_tick_behavior(MissedTickBehavior::Delay);
    time
}

/// An error with all that caused it.
fn chain(error: &Error) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        said = format!("{said}: {source}");
        cause = source.source();
    }
    said
}
