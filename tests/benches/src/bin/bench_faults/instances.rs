//! The instances of resolve that are there now.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use domain::{Clock, Sources, Timestamp};
use e2e::{Answer, Call, Process};
use tokio::sync::watch;

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
    killed: watch::Sender<bool>,
}

impl Instance {
    fn of(process: Process) -> Arc<Self> {
        Arc::new(Self { router: process.router, killed: watch::Sender::new(false) })
    }
}

/// All of them; clones share them.
#[derive(Clone)]
pub(crate) struct Instances(Arc<RwLock<Vec<Arc<Instance>>>>);

impl Instances {
    pub(crate) fn new(processes: Vec<Process>) -> Self {
        Self(Arc::new(RwLock::new(processes.into_iter().map(Instance::of).collect())))
    }

    /// How many there are.
    pub(crate) fn many(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Asks the one in this place; `None` where it was killed meanwhile.
    pub(crate) async fn ask(&self, place: usize, call: Call) -> Option<Answer> {
        let instance = self.0.read().unwrap_or_else(PoisonError::into_inner)[place].clone();
        let mut killed = instance.killed.subscribe();
        tokio::select! {
            answer = call.send(&instance.router) => Some(answer),
            _ = killed.wait_for(|killed| *killed) => None,
        }
    }

    /// Puts another in its place.
    pub(crate) fn replace(&self, place: usize, process: Process, ending: Ending) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut all[place], Instance::of(process));
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
}

impl Skewed {
    /// One that is right.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { right: runtime::sources::system(), by_ms: AtomicI64::new(0) })
    }

    /// Lets it be off by so much from now on.
    pub(crate) fn set(&self, by_ms: i64) {
        self.by_ms.store(by_ms, Ordering::SeqCst);
    }

    /// The sources of an instance with this clock.
    pub(crate) fn sources(self: &Arc<Self>) -> Sources {
        Sources { clock: self.clone(), entropy: self.right.entropy.clone() }
    }
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.right.now().as_millis() + self.by_ms.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        self.right.clock.monotonic()
    }
}
