//! One sandbox: one process at a time, between the queue and its Runtime API.

use std::{
    iter,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{sync::oneshot, time::sleep};

use super::{
    InvokeError, Settings,
    api::{Ask, Event, RuntimeApi, deadline},
    lines::Lines,
    process::Process,
    queue::{Free, Invocation, Outcome, Queue},
};

/// How long a process may take until it asks for its first event.
const INIT: Duration = Duration::from_secs(10);

/// How often in a row a process may fail to start.
const STARTS: u32 = 3;

/// A place for a process.
#[derive(Debug)]
pub(super) struct Sandbox {
    settings: Arc<Settings>,
    queue: Arc<Queue>,
    stdout: Lines,
    process: Mutex<Option<Process>>,
    /// The events that are not answered yet, and the most that there were at one time.
    under_way: AtomicUsize,
    peak: AtomicUsize,
}

impl Sandbox {
    pub(super) fn new(settings: Arc<Settings>, queue: Arc<Queue>, stdout: Lines) -> Self {
        let (under_way, peak) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { settings, queue, stdout, process: Mutex::default(), under_way, peak }
    }

    pub(super) fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    /// The process that runs now.
    pub(super) fn process(&self) -> Option<Process> {
        self.slot().clone().filter(|process| !process.has_ended())
    }

    /// Starts a process at once, and after its end another one when it is needed.
    pub(super) async fn run(&self) {
        let mut free = self.queue.enter();
        let mut failures = 0;
        loop {
            match self.live(free).await {
                Ok(()) => failures = 0,
                Err(_) if failures + 1 < STARTS => failures += 1,
                Err(reason) => return self.queue.give_up(reason),
            }
            free = self.queue.needed().await;
        }
    }

    /// One process from its start to its end; the reason when it does not come to ask for an event, unless somebody killed
    /// it before it could.
    async fn live(&self, free: Free<'_>) -> Result<(), String> {
        let program = self.settings.program.display();
        let api = RuntimeApi::start(&self.settings.name).map_err(|error| error.to_string())?;
        let process = Process::start(&self.settings, &api.address(), self.stdout.clone());
        let process = process.map_err(|error| format!("{program}: {error}"))?;
        *self.slot() = Some(process.clone());
        let asked = tokio::select! {
            biased;
            asked = api.asked() => asked,
            () = process.ended() => Err("it ended before it asked for an event".to_owned()),
            () = sleep(INIT) => Err(format!("it did not ask for an event within {INIT:?}")),
        };
        let ended = match asked {
            Ok(ask) => {
                let others = (1..self.settings.concurrency).map(|_| self.serve(&process, &api, None));
                let all = iter::once(self.serve(&process, &api, Some((ask, free)))).chain(others);
                join_all(all).await;
                Ok(())
            }
            Err(_) if process.was_killed() => Ok(()),
            Err(reason) => Err(reason),
        };
        process.kill().await;
        ended.map_err(|reason| format!("{program}: {reason}\n{}", process.stderr()))
    }

    /// Hands events to a process, one after the other, until it has ended.
    async fn serve(&self, process: &Process, api: &RuntimeApi, mut idle: Option<(Ask, Free<'_>)>) {
        loop {
            let asked = async {
                match idle.take() {
                    Some(idle) => Ok(idle),
                    None => api.asked().await.map(|ask| (ask, self.queue.enter())),
                }
            };
            let asked = tokio::select! {
                biased;
                () = process.ended() => return,
                asked = asked => asked,
            };
            let Ok((ask, free)) = asked else { return };
            let Invocation { id, payload, answer } = tokio::select! {
                biased;
                () = process.ended() => return,
                invocation = free.take() => invocation,
            };
            let outcome = api.answer_to(&id);
            let deadline = deadline(self.settings.timeout);
            match ask.send(Event { id: id.clone(), payload, deadline }) {
                Ok(()) => {
                    let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
                    self.peak.fetch_max(under_way, Ordering::SeqCst);
                    let outcome = self.outcome(process, outcome).await;
                    self.under_way.fetch_sub(1, Ordering::SeqCst);
                    let _ = answer.send(outcome);
                }
                // Who asked has gone away.
                Err(Event { payload, .. }) => self.queue.put_back(Invocation { id, payload, answer }),
            }
        }
    }

    async fn outcome(&self, process: &Process, answered: oneshot::Receiver<Outcome>) -> Outcome {
        let died = || InvokeError::Died(process.stderr());
        let timeout = self.settings.timeout;
        tokio::select! {
            biased;
            outcome = answered => outcome.unwrap_or_else(|_| Err(died())),
            () = process.ended() => Err(died()),
            () = sleep(timeout) => {
                process.kill().await;
                Err(InvokeError::TimedOut(timeout))
            }
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
