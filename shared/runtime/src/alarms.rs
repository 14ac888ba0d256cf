//! Alarms as metrics: a line of the log that names an alarm counts it, and `CloudWatch` calls people.

use std::{fmt, fs::File};

use domain::Sources;
use serde_json::json;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use crate::metrics;

/// The field that names an alarm, and the dimension that does.
const ALARM: &str = "alarm";

/// Counts the alarms of a process.
#[derive(Debug)]
pub struct Alarms {
    log_group: String,
    sources: Sources,
    out: File,
}

impl Alarms {
    /// Counts on `out`. The log group tells several platforms of one account apart.
    pub fn new(log_group: String, sources: Sources, out: File) -> Self {
        Self { log_group, sources, out }
    }
}

impl<S: Subscriber> Layer<S> for Alarms {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut named = Named(None);
        event.record(&mut named);
        let Named(Some(alarm)) = named else { return };
        let dimensions = [(ALARM, alarm.as_str()), ("log_group", self.log_group.as_str())];
        metrics::write(&self.out, self.sources.now(), &dimensions, [("alarms", "Count", json!(1))]);
    }
}

/// The alarm that an event names.
struct Named(Option<String>);

impl Visit for Named {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == ALARM {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
