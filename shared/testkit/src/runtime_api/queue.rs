//! The events that wait, and the sandboxes that wait for them.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use super::{InvokeError, api::epoch_ms};

pub(super) type Outcome = Result<Value, InvokeError>;

/// An event that has no answer yet.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) id: String,
    pub(super) payload: Bytes,
    pub(super) answer: oneshot::Sender<Outcome>,
}

impl Invocation {
    pub(super) fn new(payload: impl Into<Bytes>, answer: oneshot::Sender<Outcome>) -> Self {
        Self { id: request_id(), payload: payload.into(), answer }
    }
}

/// An id of the form that Lambda gives, which no other process repeats.
fn request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (time, process) = (epoch_ms(), std::process::id() & 0xfff);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:08x}-{:04x}-4{process:03x}-8000-{count:012x}", time >> 16, time & 0xffff)
}

/// What the sandboxes of a function share.
#[derive(Debug)]
pub(super) struct Queue(watch::Sender<Line>);

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Invocation>,
    /// How many events the sandboxes could take now or as soon as they have come up.
    free: usize,
    /// The sandboxes that have not given up.
    able: usize,
    /// Why nothing is taken in any more.
    closed: Option<InvokeError>,
}

impl Queue {
    pub(super) fn new(sandboxes: usize) -> Self {
        Self(watch::Sender::new(Line { able: sandboxes, ..Line::default() }))
    }

    pub(super) fn add(&self, invocation: Invocation) {
        self.0.send_modify(|line| line.waiting.push_back(invocation));
        self.refuse();
    }

    /// Takes back an event that no process has seen.
    pub(super) fn put_back(&self, invocation: Invocation) {
        self.0.send_modify(|line| line.waiting.push_front(invocation));
        self.refuse();
    }

    /// Room for one event in a sandbox that asks for one or comes up.
    pub(super) fn enter(&self) -> Free<'_> {
        self.0.send_modify(|line| line.free += 1);
        Free(self)
    }

    /// The same as soon as more events wait than there is room for.
    pub(super) async fn needed(&self) -> Free<'_> {
        let enter = |line: &mut Line| (line.waiting.len() > line.free).then(|| line.free += 1);
        self.claim(enter).await;
        Free(self)
    }

    /// Notes that a sandbox never starts again. After the last one nothing is taken in any more.
    pub(super) fn give_up(&self, reason: String) {
        self.0.send_modify(|line| line.able -= 1);
        if self.0.borrow().able == 0 {
            self.close(InvokeError::InitFailed(reason));
        }
    }

    /// Fails what waits and what comes.
    pub(super) fn close(&self, why: InvokeError) {
        self.0.send_modify(|line| line.closed = Some(why));
        self.refuse();
    }

    fn refuse(&self) {
        self.0.send_if_modified(|line| {
            let Some(why) = &line.closed else { return false };
            for invocation in line.waiting.drain(..) {
                let _ = invocation.answer.send(Err(why.clone()));
            }
            true
        });
    }

    /// Waits until `take` finds what it looks for.
    async fn claim<T>(&self, take: impl Fn(&mut Line) -> Option<T>) -> T {
        let mut changes = self.0.subscribe();
        loop {
            let mut taken = None;
            self.0.send_if_modified(|line| {
                taken = take(line);
                taken.is_some()
            });
            if let Some(taken) = taken {
                return taken;
            }
            let _ = changes.changed().await;
        }
    }
}

/// Counts as free until an event is taken, or the sandbox ends.
#[derive(Debug)]
pub(super) struct Free<'a>(&'a Queue);

impl Free<'_> {
    pub(super) async fn take(self) -> Invocation {
        self.0.claim(|line| line.waiting.pop_front()).await
    }
}

impl Drop for Free<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|line| line.free -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use tokio::time::timeout;

    use super::*;

    /// What a future has at once.
    async fn now<T>(future: impl Future<Output = T>) -> Option<T> {
        timeout(Duration::ZERO, future).await.ok()
    }

    fn add(queue: &Queue) -> oneshot::Receiver<Outcome> {
        let (answer, answered) = oneshot::channel();
        queue.add(Invocation::new("1", answer));
        answered
    }

    #[tokio::test]
    async fn a_sandbox_is_needed_only_for_an_event_that_no_free_one_takes() {
        let queue = Queue::new(3);
        let idle = queue.enter();
        let _first = add(&queue);
        assert!(now(queue.needed()).await.is_none());
        let _second = add(&queue);
        let starting = now(queue.needed()).await.unwrap();
        assert!(now(queue.needed()).await.is_none());
        drop(starting);
        assert!(now(queue.needed()).await.is_some());
        assert!(now(idle.take()).await.is_some());
        assert!(now(queue.needed()).await.is_some());
    }

    #[tokio::test]
    async fn what_was_taken_back_comes_first() {
        let queue = Queue::new(1);
        let _answers = [add(&queue), add(&queue)];
        let first = queue.enter().take().await;
        let id = first.id.clone();
        queue.put_back(first);
        assert_eq!(queue.enter().take().await.id, id);
    }

    #[tokio::test]
    async fn what_waits_and_what_comes_fails_once_every_sandbox_has_given_up() {
        let queue = Queue::new(2);
        let mut waiting = add(&queue);
        queue.give_up("first".to_owned());
        assert!(waiting.try_recv().is_err());
        queue.give_up("last".to_owned());
        let failed = Err(InvokeError::InitFailed("last".to_owned()));
        assert_eq!((waiting.await.unwrap(), add(&queue).await.unwrap()), (failed.clone(), failed));
    }

    #[test]
    fn ids_have_the_form_of_lambda_and_do_not_repeat() {
        let ids: HashSet<_> = (0..100).map(|_| request_id()).collect();
        assert_eq!(ids.len(), 100);
        for id in ids {
            let parts: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
        }
    }
}
