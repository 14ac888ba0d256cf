//! What is written beside the template: the metrics of the functions, and the runbooks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read as _, Seek as _},
    path::Path,
    time::Duration,
};

use domain::Figure;
use e2e::Raised;
use regex::Regex;
use runtime::metrics::{Meter, Outcome};
use serde_json::Value;

use crate::root;

/// Where the runbooks are.
pub(crate) const RUNBOOKS: &str = "docs/runbooks";

/// What is no runbook there: it says how to use them.
const INTRODUCTION: &str = "README";

/// Where the code says from where answers come.
const ANSWER: &str = "functions/resolve/src/answer.rs";

/// Where answers come from; a refusal comes from nowhere.
const ORIGINS: [&str; 5] = ["memory", "cache", "table", "stale", "none"];

/// The runbooks, by the names of their alarms.
pub(crate) fn runbooks() -> BTreeMap<String, String> {
    let files = fs::read_dir(root().join(RUNBOOKS)).unwrap().map(|entry| entry.unwrap().path());
    let name = |file: &Path| file.file_stem().unwrap().to_str().unwrap().to_owned();
    let runbooks = files.map(|file| (name(&file), fs::read_to_string(&file).unwrap()));
    runbooks.filter(|(name, _)| name != INTRODUCTION).collect()
}

/// The metrics that a process writes whose `main` is this.
pub(crate) fn metrics(main: &str) -> BTreeSet<String> {
    let metered = Regex::new(r#"Meter::new\("(\w+)""#).unwrap();
    let Some(metered) = metered.captures(main) else { return BTreeSet::new() };
    let (sources, clock) = testkit::sources(1);
    let mut file = tempfile::tempfile().unwrap();
    let meter =
        Meter::new(metered[1].to_owned().leak(), "a-log".to_owned(), sources, file.try_clone().unwrap());
    for source in ORIGINS {
        let age_ms = (source != "none").then_some(1);
        meter.count(meter.arrival(), Outcome { source, age_ms, failed: false });
        clock.advance(Duration::from_secs(1));
    }
    let mut written = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut written).unwrap();
    written.lines().flat_map(|line| of_line(&serde_json::from_str(line).unwrap())).collect()
}

/// The figures that the log tells.
pub(crate) fn figures() -> BTreeSet<String> {
    let raised = Raised::listen();
    for figure in Figure::ALL {
        tracing::info!(figure = figure.name(), value = 1_u64, "told");
    }
    raised.lines().iter().flat_map(of_line).collect()
}

/// The metrics of a line of the log, which is the one of all functions.
fn of_line(line: &Value) -> Vec<String> {
    let described = &line["_aws"]["CloudWatchMetrics"][0];
    let dimensions = described["Dimensions"][0].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    let value =
        |name: &str| if name == "log_group" { "${FunctionsLog}" } else { line[name].as_str().unwrap() };
    let dimensions: BTreeMap<_, _> = dimensions.map(|name| (name, value(name))).collect();
    let metrics = described["Metrics"].as_array().unwrap().iter();
    metrics.map(|metric| named(metric["Name"].as_str().unwrap(), &dimensions)).collect()
}

/// A metric of ours, as complaints name it.
pub(crate) fn named(metric: &str, dimensions: &BTreeMap<&str, &str>) -> String {
    format!("{metric} of {dimensions:?}")
}

#[test]
fn answers_come_from_where_the_code_says() {
    let said = fs::read_to_string(root().join(ANSWER)).unwrap();
    let answers = &ORIGINS[..4];
    assert!(
        said.contains(&format!("const SOURCES: [&str; 4] = {answers:?};")),
        "{ANSWER} says something else"
    );
}
