//! Whatever may fail is watched by an alarm, and what alarms watch is written by somebody.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use serde_json::Value;

use crate::{
    code::Code,
    template::{Template, alternatives, differs, elements, entries, named, text},
    written,
};

/// What is watched of each resource of a type: a metric of AWS, by the dimension that names the resource.
const KINDS: [(&str, &[&str]); 4] = [
    (
        "AWS::Serverless::Function",
        &["AWS/Lambda Errors by FunctionName", "AWS/Lambda Throttles by FunctionName"],
    ),
    (
        "AWS::DynamoDB::Table",
        &[
            "AWS/DynamoDB ReadThrottleEvents by TableName",
            "AWS/DynamoDB WriteThrottleEvents by TableName",
            "AWS/DynamoDB SystemErrors by TableName",
        ],
    ),
    (
        "AWS::ElastiCache::ServerlessCache",
        &[
            "AWS/ElastiCache ThrottledCmds by clusterId",
            "AWS/ElastiCache Evictions by clusterId",
            "AWS/ElastiCache BytesUsedForCache by clusterId",
            "AWS/ElastiCache AuthenticationFailures by clusterId",
        ],
    ),
    ("AWS::Serverless::HttpApi", &["AWS/ApiGateway 5xx by ApiId"]),
];

/// What is watched of single functions: how fast resolve is, that steer is called at all, and what readers of the
/// stream are behind or lose.
const FUNCTIONS: [(&str, &str); 7] = [
    ("Resolve", "AWS/Lambda Duration by FunctionName"),
    ("ResolveManaged", "AWS/Lambda Duration by FunctionName"),
    ("Steer", "AWS/Lambda Invocations by FunctionName"),
    ("Dispatch", "AWS/Lambda IteratorAge by FunctionName"),
    ("Dispatch", "AWS/Lambda DestinationDeliveryFailures by FunctionName"),
    ("Propagate", "AWS/Lambda IteratorAge by FunctionName"),
    ("Propagate", "AWS/Lambda DestinationDeliveryFailures by FunctionName"),
];

/// What is watched of our own figures, in the log that they are told in: how old answers are, how long moves take to be
/// seen, and runs that stand still. Whether `propagate` is behind is seen by the age of its records.
const FIGURES: [(&str, &str); 3] = [
    ("FunctionsLog", "Cuecard age by log_group"),
    ("FunctionsLog", "Cuecard propagation by log_group"),
    ("FunctionsLog", "Cuecard runs_sent_again by log_group"),
];

/// What is watched of a queue, and of one that takes what was given up.
const QUEUE: &str = "AWS/SQS ApproximateAgeOfOldestMessage by QueueName";
const DEAD_LETTERS: &str = "AWS/SQS ApproximateNumberOfMessagesVisible by QueueName";

/// Without these, the alarms would be silent when they are needed most.
const SHARP: [(&str, &str, &str); 4] = [
    ("SteerSilent", "/TreatMissingData", r#""breaching""#),
    ("ResolveSlow", "/ExtendedStatistic", r#""p99""#),
    // Its bound, which the cache keeps too.
    ("ResolveOutdated", "/Threshold", "4000"),
    ("MovesSlow", "/Statistic", r#""Maximum""#),
];

pub(crate) fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let watched = watched(template);
    let missing = wanted(template).into_iter().filter(|wanted| !watched.contains(wanted));
    let mut complaints: Vec<_> =
        missing.map(|(of, metric)| format!("{of}: no alarm watches its {metric}")).collect();
    complaints.extend(SHARP.iter().filter_map(|sharp| differs(template, sharp)));
    for (id, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        complaints.extend(miscounted(id, &alarm["Properties"]));
        let metrics = metrics(&alarm["Properties"]).into_iter();
        complaints.extend(metrics.filter_map(|metric| unwritten(template, code, id, metric)));
    }
    complaints.extend(blind(template));
    complaints
}

/// The metrics of an alarm: its own, or those of its expression.
pub(crate) fn metrics(alarm: &Value) -> Vec<&Value> {
    let parts = elements(&alarm["Metrics"]).into_iter().map(|part| &part["MetricStat"]["Metric"]);
    iter::once(alarm).chain(parts).filter(|metric| !metric["MetricName"].is_null()).collect()
}

/// What alarms watch, as the names of resources with metrics.
fn watched(template: &Template) -> BTreeSet<(String, String)> {
    let alarms = template.resources("AWS::CloudWatch::Alarm").map(|(_, alarm)| &alarm["Properties"]);
    let mut watched = BTreeSet::new();
    for metric in alarms.flat_map(metrics).filter(|metric| !of_one_version(metric)) {
        for dimension in elements(&metric["Dimensions"]) {
            let [namespace, name, by] =
                [&metric["Namespace"], &metric["MetricName"], &dimension["Name"]].map(text);
            for of in alternatives(&dimension["Value"]).into_iter().filter_map(named) {
                watched.insert((of.to_owned(), format!("{namespace} {name} by {by}")));
            }
        }
    }
    watched
}

/// Whether a metric is of new code alone: nobody would be told of what becomes of it later.
fn of_one_version(metric: &Value) -> bool {
    elements(&metric["Dimensions"]).iter().any(|dimension| dimension["Name"] == "ExecutedVersion")
}

fn wanted(template: &Template) -> Vec<(String, String)> {
    let kinds = KINDS.iter().flat_map(|(kind, metrics)| {
        let resources = template.resources(kind);
        resources.flat_map(move |(id, _)| metrics.iter().map(move |metric| (id, *metric)))
    });
    let queues = template.resources("AWS::SQS::Queue");
    let queues = queues.map(|(id, _)| (id, if id.ends_with("DeadLetters") { DEAD_LETTERS } else { QUEUE }));
    let wanted = kinds.chain(FUNCTIONS).chain(FIGURES).chain(queues);
    wanted.map(|(id, metric)| (id.to_owned(), metric.to_owned())).collect()
}

/// An expression takes each of its parts into account, and no other.
fn miscounted(id: &str, alarm: &Value) -> Option<String> {
    let parts = elements(&alarm["Metrics"]);
    let (given, said): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part["ReturnData"] == false);
    let given: BTreeSet<_> = given.into_iter().map(|part| text(&part["Id"])).collect();
    let words = said
        .iter()
        .flat_map(|part| text(&part["Expression"]).split(|c: char| !(c.is_alphanumeric() || c == '_')));
    let named: BTreeSet<_> =
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())).collect();
    (given != named).then(|| format!("{id}: its expression is of {named:?}, and its metrics are {given:?}"))
}

/// A metric of ours that nobody writes. Those that the code raises by name have a check of their own.
fn unwritten(template: &Template, code: &Code, id: &str, metric: &Value) -> Option<String> {
    let dimensions: Vec<_> = elements(&metric["Dimensions"])
        .into_iter()
        .map(|dimension| (text(&dimension["Name"]), value(&dimension["Value"])))
        .collect();
    let dimensions: BTreeMap<_, _> = dimensions.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let namespace = text(&metric["Namespace"]);
    if !namespace.starts_with("Cuecard") || dimensions.contains_key("alarm") {
        return None;
    }
    let name = text(&metric["MetricName"]);
    let full = written::named(name, &dimensions);
    let filtered = template.resources("AWS::Logs::MetricFilter").any(|(_, filter)| {
        elements(&filter["Properties"]["MetricTransformations"])
            .iter()
            .any(|made| text(&made["MetricNamespace"]) == namespace && made["MetricName"] == name)
    });
    let written = if namespace == "Cuecard" { code.metrics.contains(&full) } else { filtered };
    (!written).then(|| format!("{id}: nobody writes {full} in {namespace}"))
}

/// The value of a dimension, as it stands within a text where it names a resource.
fn value(value: &Value) -> String {
    named(value).map_or_else(|| text(value).to_owned(), |resource| format!("${{{resource}}}"))
}

/// A filter of the access log that asks for what is not in it.
fn blind(template: &Template) -> Vec<String> {
    let format = &template.resource("Api")["Properties"]["AccessLogSettings"]["Format"];
    let format: Value = serde_json::from_str(text(format)).unwrap_or_default();
    let written: BTreeSet<_> = entries(&format).map(|(name, _)| name).collect();
    let mut complaints = Vec::new();
    for (id, filter) in template.resources("AWS::Logs::MetricFilter") {
        let asked = text(&filter["Properties"]["FilterPattern"]).split("$.").skip(1);
        let asked = asked.filter_map(|rest| rest.split(' ').next()).collect::<BTreeSet<_>>();
        let missing = asked.difference(&written).map(|name| format!("{id}: the log has no {name}"));
        complaints.extend(missing);
        if named(&filter["Properties"]["LogGroupName"]) != Some("ApiLog") {
            complaints.push(format!("{id}: it does not read the access log"));
        }
    }
    complaints
}
