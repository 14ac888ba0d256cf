//! Which calls meet which fault, and what was counted.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use super::Fault;
use crate::sources::SeededEntropy;

type Predicate = dyn Fn(&Value) -> bool + Send + Sync;

/// Which calls meet a fault, and how often: every time, unless limited.
pub struct Rule {
    operation: Option<String>,
    when: Option<Box<Predicate>>,
    odds: Option<(f64, SeededEntropy)>,
    fault: Fault,
    left: AtomicU64,
    injected: AtomicU64,
    /// How many answers were held back so far.
    held: watch::Sender<u64>,
    /// Closed when the rule ends; it has no permits.
    hold: Semaphore,
}

impl Rule {
    /// For calls of one operation, such as `TransactWriteItems`.
    pub fn on(operation: &str, fault: Fault) -> Self {
        Self { operation: Some(operation.to_owned()), ..Self::all(fault) }
    }

    /// For every call.
    pub fn all(fault: Fault) -> Self {
        Self {
            operation: None,
            when: None,
            odds: None,
            fault,
            left: AtomicU64::new(u64::MAX),
            injected: AtomicU64::new(0),
            held: watch::Sender::new(0),
            hold: Semaphore::new(0),
        }
    }

    /// Only for calls whose JSON body satisfies this.
    #[must_use]
    pub fn when(mut self, predicate: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        self.when = Some(Box::new(predicate));
        self
    }

    /// Only for the next `calls` that match.
    #[must_use]
    pub fn times(mut self, calls: u64) -> Self {
        self.left = AtomicU64::new(calls);
        self
    }

    /// Only with this probability, drawn from a sequence that follows from the seed.
    #[must_use]
    pub fn with_probability(mut self, probability: f64, seed: u64) -> Self {
        self.odds = Some((probability, SeededEntropy::new(seed)));
        self
    }

    /// How many calls met the fault so far.
    pub fn injected(&self) -> u64 {
        self.injected.load(Ordering::SeqCst)
    }

    /// Waits until this many calls or answers are, or were, held back ([`Fault::HoldBefore`], [`Fault::Hold`]).
    pub async fn has_held(&self, many: u64) {
        // The sender is this rule's own, so the wait does not fail.
        drop(self.held.subscribe().wait_for(|held| *held >= many).await);
    }

    /// Ends the rule: no later call meets the fault, and what is held back goes on its way.
    pub fn end(&self) {
        self.left.store(0, Ordering::SeqCst);
        self.hold.close();
    }

    pub(super) fn fault(&self) -> Fault {
        self.fault
    }

    /// Holds something back until the rule ends.
    pub(super) async fn hold(&self) {
        self.held.send_modify(|held| *held += 1);
        drop(self.hold.acquire().await);
    }

    /// Whether this call meets the fault; the draw and the count are made in the order of the calls that match.
    fn fires(&self, operation: &str, body: &Value) -> bool {
        let matches = self.operation.as_deref().is_none_or(|wanted| wanted == operation)
            && self.when.as_ref().is_none_or(|predicate| predicate(body));
        let fires = matches
            && self.left.load(Ordering::SeqCst) > 0
            && self.odds.as_ref().is_none_or(|(probability, entropy)| entropy.unit() < *probability);
        if fires {
            self.left.fetch_sub(1, Ordering::SeqCst);
            self.injected.fetch_add(1, Ordering::SeqCst);
        }
        fires
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} on {:?}, {} times", self.fault, self.operation, self.injected())
    }
}

/// The rules of a proxy and its counts; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Rules(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    rules: Vec<Arc<Rule>>,
    calls: BTreeMap<String, u64>,
}

impl Rules {
    /// Adds a rule. Of several rules that would fire for a call, the one added first does.
    pub fn add(&self, rule: Rule) -> Arc<Rule> {
        let rule = Arc::new(rule);
        self.state().rules.push(rule.clone());
        rule
    }

    /// Removes every rule; the counts stay.
    pub fn clear(&self) {
        self.state().rules.clear();
    }

    /// How many calls of this operation arrived, faults included. An operation is the end of `X-Amz-Target`, or
    /// the HTTP method where there is no such header.
    pub fn calls(&self, operation: &str) -> u64 {
        self.state().calls.get(operation).copied().unwrap_or_default()
    }

    /// The calls of every operation that was used.
    pub fn all_calls(&self) -> BTreeMap<String, u64> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and says which rule it meets.
    pub(super) fn judge(&self, operation: &str, body: &Bytes) -> Option<Arc<Rule>> {
        let mut state = self.state();
        *state.calls.entry(operation.to_owned()).or_default() += 1;
        if state.rules.is_empty() {
            return None;
        }
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        state.rules.iter().find(|rule| rule.fires(operation, &body)).cloned()
    }
}
