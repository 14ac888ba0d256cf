//! The instances of resolve that are there now.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use domain::{Clock, Sources, Timestamp};
use e2e::{Answer, Call, Process};
use tokio::sync::{Notify, watch};

/// How an instance ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It answers what it was asked.
    Finished,
    /// Nothing that it does comes to an end.
    Killed,
}

/// An instance.
struct Instance {
    router: Router,
    /// Told of each request that begins.
    asked: Notify,
    killed: watch::Sender<bool>,
}

impl Instance {
    fn of(process: Process) -> Arc<Self> {
        Arc::new(Self { router: process.router, asked: Notify::new(), killed: watch::Sender::new(false) })
    }
}

/// All of them; clones share them.
#[derive(Clone)]
pub(crate) struct Instances(Arc<Shared>);

struct Shared {
    now: RwLock<Vec<Arc<Instance>>>,
    replaced: AtomicU64,
    again: AtomicU64,
}

impl Instances {
    pub(crate) fn new(processes: Vec<Process>) -> Self {
        let now = RwLock::new(processes.into_iter().map(Instance::of).collect());
        Self(Arc::new(Shared { now, replaced: AtomicU64::new(0), again: AtomicU64::new(0) }))
    }

    /// How many there are.
    pub(crate) fn many(&self) -> usize {
        self.0.now.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many were replaced so far.
    pub(crate) fn replaced(&self) -> u64 {
        self.0.replaced.load(Ordering::SeqCst)
    }

    /// How many requests ended with their instance so far, and had to be made again.
    pub(crate) fn again(&self) -> u64 {
        self.0.again.load(Ordering::SeqCst)
    }

    fn at(&self, place: usize) -> Arc<Instance> {
        self.0.now.read().unwrap_or_else(PoisonError::into_inner)[place].clone()
    }

    /// Waits until the one in this place is asked something.
    pub(crate) async fn asked(&self, place: usize) {
        self.at(place).asked.notified().await;
    }

    /// Asks the one in this place; `None` where it was killed meanwhile.
    pub(crate) async fn ask(&self, place: usize, call: Call) -> Option<Answer> {
        let instance = self.at(place);
        let mut killed = instance.killed.subscribe();
        instance.asked.notify_waiters();
        let answer = tokio::select! {
            biased;
            _ = killed.wait_for(|killed| *killed) => None,
            answer = call.send(&instance.router) => Some(answer),
        };
        self.0.again.fetch_add(u64::from(answer.is_none()), Ordering::SeqCst);
        answer
    }

    /// Puts another in its place.
    pub(crate) fn replace(&self, place: usize, process: Process, ending: Ending) {
        let mut all = self.0.now.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut all[place], Instance::of(process));
        drop(all);
        self.0.replaced.fetch_add(1, Ordering::SeqCst);
        if ending == Ending::Killed {
            before.killed.send_replace(true);
        }
    }
}

/// The machine's clock, as an instance sees it that is off by some time.
#[derive(Debug)]
pub(crate) struct Skewed {
    right: Sources,
    by_ms: AtomicI64,
    misled: AtomicU64,
}

impl Skewed {
    /// One that is right.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            right: runtime::sources::system(),
            by_ms: AtomicI64::new(0),
            misled: AtomicU64::new(0),
        })
    }

    /// Lets it be off by so much from now on.
    pub(crate) fn set(&self, by_ms: i64) {
        self.by_ms.store(by_ms, Ordering::SeqCst);
    }

    /// How often it told a time that was wrong.
    pub(crate) fn misled(&self) -> u64 {
        self.misled.load(Ordering::SeqCst)
    }

    /// The sources of an instance with this clock.
    pub(crate) fn sources(self: &Arc<Self>) -> Sources {
        Sources { clock: self.clone(), entropy: self.right.entropy.clone() }
    }
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        let by_ms = self.by_ms.load(Ordering::SeqCst);
        self.misled.fetch_add(u64::from(by_ms != 0), Ordering::SeqCst);
        Timestamp::from_millis(self.right.now().as_millis() + by_ms)
    }

    fn monotonic(&self) -> Duration {
        self.right.clock.monotonic()
    }
}
