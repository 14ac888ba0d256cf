//! Metrics: lines on standard output in the embedded metric format (EMF) of `CloudWatch`.
//!
//! Nothing is written after an answer, for a frozen process does nothing: what is counted goes out with a later
//! request, a second later at most while requests come. Who dies loses what it counted since: under 100 requests.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    mem,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{Sources, Timestamp};
use serde_json::{Value, json};

/// The most values of one metric in a line.
const MOST: usize = 100;

/// How long values are kept back, so that busy processes write few lines.
const KEEP: Duration = Duration::from_secs(1);

/// One request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Where the answer came from: `memory`, `cache`, `table`, `stale`, or `none`.
    pub source: &'static str,
    /// From the request's arrival to its answer, in ms.
    pub latency_ms: f64,
    /// How old the answer was, in ms; `None` for a refusal.
    pub age_ms: Option<u32>,
    /// Whether the fault was ours.
    pub failed: bool,
}

/// Counts the requests of a function.
#[derive(Debug)]
pub struct Meter {
    function: &'static str,
    sources: Sources,
    out: File,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    samples: Vec<Sample>,
    /// On the monotonic clock.
    written_at: Option<Duration>,
}

impl Meter {
    /// A meter that writes to `out`.
    pub fn new(function: &'static str, sources: Sources, out: File) -> Self {
        Self { function, sources, out, state: Mutex::default() }
    }

    /// Counts a request. The first one of a process also tells how long the process took to get there.
    pub fn count(&self, sample: Sample) {
        let now = self.sources.clock.monotonic();
        let (samples, first) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.samples.push(sample);
            let first = state.written_at.is_none();
            let due = state.written_at.is_none_or(|at| now.saturating_sub(at) >= KEEP);
            if !due && state.samples.len() < MOST {
                return;
            }
            state.written_at = Some(now);
            (mem::take(&mut state.samples), first)
        };
        let at = self.sources.now();
        if first {
            let cold_start = json!({ "cold_start": now.as_secs_f64() * 1000.0 });
            self.write(at, &[("cold_start", "Milliseconds")], cold_start);
        }
        let mut by_source: BTreeMap<&str, Vec<Sample>> = BTreeMap::new();
        for sample in samples {
            by_source.entry(sample.source).or_default().push(sample);
        }
        for (source, samples) in by_source {
            self.write(at, &METRICS, values(source, &samples));
        }
    }

    fn write(&self, at: Timestamp, metrics: &[(&str, &str)], mut values: Value) {
        let metrics: Vec<_> =
            metrics.iter().map(|(name, unit)| json!({ "Name": name, "Unit": unit })).collect();
        let dimensions =
            if values.get("source").is_some() { vec!["function", "source"] } else { vec!["function"] };
        values["function"] = json!(self.function);
        values["_aws"] = json!({
            "Timestamp": at.as_millis(),
            "CloudWatchMetrics": [{ "Namespace": "Cuecard", "Dimensions": [dimensions], "Metrics": metrics }],
        });
        // Where nobody reads, nobody misses it.
        let _ = (&self.out).write_all(format!("{values}\n").as_bytes());
    }
}

const METRICS: [(&str, &str); 3] =
    [("latency", "Milliseconds"), ("age", "Milliseconds"), ("errors", "Count")];

fn values(source: &str, samples: &[Sample]) -> Value {
    let latency: Vec<_> = samples.iter().map(|sample| sample.latency_ms).collect();
    let age: Vec<_> = samples.iter().filter_map(|sample| sample.age_ms).collect();
    let errors = samples.iter().filter(|sample| sample.failed).count();
    json!({ "source": source, "latency": latency, "age": age, "errors": errors })
}
