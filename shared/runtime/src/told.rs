//! What events tell, as metrics: one that names an alarm counts it, and one that names a figure gives a value of it.
//! `CloudWatch` watches them, and calls people.

use std::{fmt, fs::File};

use domain::{Figure, Sources};
use serde_json::{Value, json};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use crate::metrics::{self, LOG_GROUP};

/// The field that names an alarm, and the dimension that does.
const ALARM: &str = "alarm";

/// The fields of a figure.
const FIGURE: &str = "figure";
const VALUE: &str = "value";

/// Writes what the events of a process tell.
#[derive(Debug)]
pub struct Told {
    log_group: String,
    sources: Sources,
    out: File,
}

impl Told {
    /// Writes to `out`. The log group tells several deployments of one account apart.
    pub fn new(log_group: String, sources: Sources, out: File) -> Self {
        Self { log_group, sources, out }
    }

    fn write(&self, alarm: Option<&str>, metric: (&'static str, &'static str, Value)) {
        let dimensions = alarm.map(|alarm| (ALARM, alarm)).into_iter();
        let dimensions: Vec<_> = dimensions.chain([(LOG_GROUP, self.log_group.as_str())]).collect();
        metrics::write(&self.out, self.sources.now(), &dimensions, [metric]);
    }
}

impl<S: Subscriber> Layer<S> for Told {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut named = Named::default();
        event.record(&mut named);
        if let Some(alarm) = &named.alarm {
            self.write(Some(alarm), ("alarms", "Count", json!(1)));
        }
        if let (Some(figure), Some(value)) = (named.figure, named.value) {
            self.write(None, (figure.name(), figure.unit(), json!(value)));
        }
    }
}

/// What an event names.
#[derive(Default)]
struct Named {
    alarm: Option<String>,
    figure: Option<Figure>,
    value: Option<u64>,
}

impl Visit for Named {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            ALARM => self.alarm = Some(value.to_owned()),
            FIGURE => self.figure = Figure::ALL.into_iter().find(|figure| figure.name() == value),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == VALUE {
            self.value = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
