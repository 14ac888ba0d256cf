//! No function can starve another: all but resolve are limited, and what is left is resolve's.

use serde_json::{Value, json};

use crate::{
    code::Code,
    template::{Function, Template, differs, named},
};

/// How many calls at once an account may have, as long as AWS allows it no more.
const ACCOUNT: u64 = 1000;

/// Whose calls are as many as the batches that Lambda reads for them.
const FED: [&str; 3] = ["EvalWorker", "Notify", "Rollup"];

/// Steer is called again a minute later: calls that were late would only meet. How many calls are for resolve alone is
/// said by who deploys.
const WANTED: [(&str, &str, &str); 3] = [
    ("Steer", "/EventInvokeConfig/MaximumRetryAttempts", "0"),
    ("Steer", "/Events/Minute/Properties/RetryPolicy/MaximumRetryAttempts", "0"),
    (
        "Resolve",
        "/ReservedConcurrentExecutions",
        r#"{"Fn::If":["ResolveIsReserved",{"Ref":"ResolveConcurrency"},{"Ref":"AWS::NoValue"}]}"#,
    ),
];

pub(crate) fn complaints(template: &Template, _: &Code) -> Vec<String> {
    let functions = template.functions();
    let mut complaints: Vec<_> = functions.iter().flat_map(unlimited).collect();
    let all: u64 = functions.iter().map(|function| reserved(function).unwrap_or(0) + read(function)).sum();
    if all > ACCOUNT / 2 {
        complaints.push(format!("Resolve: others may have {all} of {ACCOUNT} calls at once"));
    }
    complaints.extend(WANTED.iter().filter_map(|wanted| differs(template, wanted)));
    complaints
}

/// What may take the calls of all others.
fn unlimited(function: &Function) -> Vec<String> {
    let id = &function.id;
    let sources = function.events("SQS").filter(|source| most(source).is_none());
    let source = |source: &Value| named(&source["Queue"]).unwrap_or_default().to_owned();
    let mut complaints: Vec<_> = sources
        .map(|queue| format!("{id}: nothing limits how much of {} it reads at once", source(queue)))
        .collect();
    let limited = id == "Resolve" || FED.contains(&id.as_str()) || reserved(function).is_some();
    if !limited {
        complaints.push(format!("{id}: nothing limits how many of its calls are made at once"));
    }
    complaints
}

/// How many calls at once are for a function, and no more.
fn reserved(function: &Function) -> Option<u64> {
    let reserved = &function.properties["ReservedConcurrentExecutions"]["Fn::If"];
    let given = reserved[0] == "ConcurrencyIsReserved" && reserved[2] == json!({ "Ref": "AWS::NoValue" });
    reserved[1].as_u64().filter(|number| given && *number > 0)
}

/// How many batches of all its queues a function is given at once.
fn read(function: &Function) -> u64 {
    function.events("SQS").filter_map(most).sum()
}

fn most(source: &Value) -> Option<u64> {
    source["ScalingConfig"]["MaximumConcurrency"].as_u64()
}
