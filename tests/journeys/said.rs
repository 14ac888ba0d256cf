//! What a function says on its standard output.

use serde_json::Value;

/// What processes wrote, without what else they say.
#[derive(Default)]
pub(crate) struct Said {
    /// The lines of the log, one for each request.
    pub(crate) requests: Vec<Value>,
    /// The lines of metrics.
    pub(crate) metrics: Vec<Value>,
}

impl Said {
    pub(crate) fn note(&mut self, lines: &[String]) {
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let (metrics, others): (Vec<_>, Vec<_>) = lines.partition(|line| line["_aws"].is_object());
        self.metrics.extend(metrics);
        self.requests.extend(others.into_iter().filter(|line| line["message"] == "request"));
    }

    /// How many requests the metrics count.
    pub(crate) fn latencies(&self) -> usize {
        self.metrics.iter().filter_map(|line| Some(line["latency"].as_array()?.len())).sum()
    }
}
