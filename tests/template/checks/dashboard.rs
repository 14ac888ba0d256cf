//! The dashboard shows every alarm, and of our own metrics those that somebody writes, all of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    code::Code,
    template::{Template, elements, text},
    written,
};

pub(crate) fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let body = text(&template.resource("Dashboard")["Properties"]["DashboardBody"]);
    let body: Value = match serde_json::from_str(body) {
        Ok(body) => body,
        Err(error) => return vec![format!("Dashboard: its body is no JSON: {error}")],
    };
    let widgets = || elements(&body["widgets"]).into_iter().map(|widget| &widget["properties"]);
    let alarms: BTreeSet<_> = widgets().flat_map(|widget| elements(&widget["alarms"])).map(text).collect();
    let metrics = widgets().flat_map(|widget| elements(&widget["metrics"]));
    let shown: BTreeSet<_> = metrics.filter_map(of_ours).collect();
    let hidden = template.resources("AWS::CloudWatch::Alarm").map(|(id, _)| id);
    let hidden = hidden.filter(|id| !alarms.contains(format!("${{{id}.Arn}}").as_str()));
    let hidden = hidden.map(|id| format!("Dashboard: it does not show the alarm {id}"));
    let unwritten =
        shown.difference(&code.metrics).map(|metric| format!("Dashboard: nobody writes {metric}"));
    let unseen =
        code.metrics.difference(&shown).map(|metric| format!("Dashboard: it does not show {metric}"));
    hidden.chain(unwritten).chain(unseen).collect()
}

/// A metric of ours, as a widget lists it: namespace and name, then names and values of dimensions by turns.
fn of_ours(metric: &Value) -> Option<String> {
    let texts: Vec<_> = elements(metric).into_iter().filter_map(Value::as_str).collect();
    let ["Cuecard", name, dimensions @ ..] = texts.as_slice() else { return None };
    let dimensions: BTreeMap<_, _> = dimensions.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    Some(written::named(name, &dimensions))
}
