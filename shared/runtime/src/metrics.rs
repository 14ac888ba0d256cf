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

/// The dimension that tells several deployments of one account apart: each has a log of its own.
pub(crate) const LOG_GROUP: &str = "log_group";

/// How long values are kept back, so that busy processes write few lines.
const KEEP: Duration = Duration::from_secs(1);

/// What is counted of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Where the answer came from: `memory`, `cache`, `table`, `stale`, or `none`.
    pub source: &'static str,
    /// How old the answer was, in ms; `None` for a refusal.
    pub age_ms: Option<u32>,
    /// Whether the fault was ours.
    pub failed: bool,
}

/// An outcome, and how long it took in ms.
#[derive(Debug)]
struct Sample {
    outcome: Outcome,
    latency_ms: f64,
}

/// Counts the requests of a function.
#[derive(Debug)]
pub struct Meter {
    function: &'static str,
    log_group: String,
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
    /// A meter that writes to `out`; at once, how long the process took to come up.
    pub fn new(function: &'static str, log_group: String, sources: Sources, out: File) -> Self {
        let meter = Self { function, log_group, sources, out, state: Mutex::default() };
        let cold_start = ("cold_start", "Milliseconds", json!(meter.arrival().as_secs_f64() * 1000.0));
        let dimensions = [("function", function), (LOG_GROUP, &meter.log_group)];
        write(&meter.out, meter.sources.now(), &dimensions, [cold_start]);
        meter
    }

    /// The moment at which a request arrives.
    pub fn arrival(&self) -> Duration {
        self.sources.clock.monotonic()
    }

    /// Counts a request that is answered now.
    pub fn count(&self, arrival: Duration, outcome: Outcome) {
        let now = self.sources.clock.monotonic();
        let latency_ms = now.saturating_sub(arrival).as_secs_f64() * 1000.0;
        let samples = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.samples.push(Sample { outcome, latency_ms });
            let due = state.written_at.is_none_or(|at| now.saturating_sub(at) >= KEEP);
            if !due && state.samples.len() < MOST {
                return;
            }
            state.written_at = Some(now);
            mem::take(&mut state.samples)
        };
        let at = self.sources.now();
        let mut by_source: BTreeMap<&str, Vec<Sample>> = BTreeMap::new();
        for sample in samples {
            by_source.entry(sample.outcome.source).or_default().push(sample);
        }
        for (source, samples) in by_source {
            let latency: Vec<_> = samples.iter().map(|sample| sample.latency_ms).collect();
            let age: Vec<_> = samples.iter().filter_map(|sample| sample.outcome.age_ms).collect();
            let errors = samples.iter().filter(|sample| sample.outcome.failed).count();
            let latency = ("latency", "Milliseconds", json!(latency));
            let errors = ("errors", "Count", json!(errors));
            // A metric without a value would be none: refusals have no age.
            let age = (!age.is_empty()).then(|| ("age", "Milliseconds", json!(age)));
            let dimensions = [("function", self.function), ("source", source), (LOG_GROUP, &self.log_group)];
            write(&self.out, at, &dimensions, [latency, errors].into_iter().chain(age));
        }
    }
}

/// Writes metrics, each with its name, unit and value or values, under these dimensions.
pub(crate) fn write(
    mut out: &File,
    at: Timestamp,
    dimensions: &[(&str, &str)],
    metrics: impl IntoIterator<Item = (&'static str, &'static str, Value)>,
) {
    let mut line: Value = dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let dimensions: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let mut described = Vec::new();
    for (name, unit, value) in metrics {
        described.push(json!({ "Name": name, "Unit": unit }));
        line[name] = value;
    }
    line["_aws"] = json!({
        "Timestamp": at.as_millis(),
        "CloudWatchMetrics": [{ "Namespace": "Cuecard", "Dimensions": [dimensions], "Metrics": described }],
    });
    // Where nobody reads, nobody misses it.
    let _ = out.write_all(format!("{line}\n").as_bytes());
}
