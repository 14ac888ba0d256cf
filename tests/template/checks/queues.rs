//! No message of a queue is lost: it comes again, and then it goes to a dead-letter queue that is read.

use std::time::Duration;

use models::DEFAULT_TIMEOUT;
use serde_json::{Value, json};
use steer::STUCK_AFTER;

use crate::{
    code::Code,
    template::{Function, Template, named, text},
};

/// The queue of evaluation cases.
const CASES: &str = "EvalCases";

/// How often a message is tried: a case as an errored one tells its reader, and what a receiver may miss more often.
fn tries(queue: &str) -> u64 {
    if queue == "Webhooks" { 5 } else { 3 }
}

pub(crate) fn complaints(template: &Template, _: &Code) -> Vec<String> {
    let functions = template.functions();
    let readers =
        functions.iter().flat_map(|function| function.events("SQS").map(move |event| (function, event)));
    let mut complaints: Vec<_> =
        readers.flat_map(|(function, event)| lossy(template, function, event)).collect();
    complaints.extend(unread(template, &functions));
    complaints.extend(mistimed(&functions));
    complaints
}

/// What loses messages between a queue and its reader.
fn lossy(template: &Template, function: &Function, event: &Value) -> Vec<String> {
    let id = named(&event["Queue"]).unwrap_or_default();
    let queue = &template.resource(id)["Properties"];
    let receives_dead =
        template.resources("AWS::SQS::Queue").any(|(_, other)| dead_letters(other) == Some(id));
    let dead = dead_letters(template.resource(id));
    let hidden = queue["VisibilityTimeout"].as_u64().unwrap_or(30);
    let kept = |id| template.resource(id)["Properties"]["MessageRetentionPeriod"].as_u64();
    let wanted = [
        (
            event["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]),
            format!("{}: it cannot say which message of {id} failed", function.id),
        ),
        (
            hidden >= 6 * function.timeout(),
            format!("{id}: a message comes again before {} may have failed", function.id),
        ),
        (dead.is_some() || receives_dead, format!("{id}: what keeps failing has nowhere to go")),
        (
            dead.is_none() || queue["RedrivePolicy"]["maxReceiveCount"] == tries(id),
            format!("{id}: a message is not tried {} times", tries(id)),
        ),
        // The clock of a message is not set back on its way there.
        (
            dead.is_none_or(|dead| kept(dead) > kept(id)),
            format!("{id}: its dead letters are kept no longer than its messages"),
        ),
    ];
    wanted.into_iter().filter(|(holds, _)| !holds).map(|(_, wrong)| wrong).collect()
}

/// The dead-letter queue of a queue.
fn dead_letters(queue: &Value) -> Option<&str> {
    named(&queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"])
}

/// What the worker needs to read both of its queues, and to tell them apart.
fn unread(template: &Template, functions: &[Function]) -> Vec<String> {
    let Some(dead) = dead_letters(template.resource(CASES)) else {
        return vec![format!("{CASES} has no dead-letter queue")];
    };
    let worker = functions.iter().find(|function| function.id == "EvalWorker");
    let reads = |queue| {
        worker.is_some_and(|worker| worker.events("SQS").any(|event| named(&event["Queue"]) == queue))
    };
    let name = text(&template.resource(dead)["Properties"]["QueueName"]);
    let wanted = [
        (reads(Some(CASES)), format!("EvalWorker: it does not read {CASES}")),
        (reads(Some(dead)), format!("EvalWorker: it does not read {dead}")),
        (
            name.ends_with("-dlq"),
            format!("{dead}: EvalWorker knows dead letters by a name that ends in -dlq"),
        ),
    ];
    wanted.into_iter().filter(|(holds, _)| !holds).map(|(_, wrong)| wrong).collect()
}

fn mistimed(functions: &[Function]) -> Option<String> {
    let worker = functions.iter().find(|function| function.id == "EvalWorker")?;
    let time = Duration::from_secs(worker.timeout());
    let wrong = time <= DEFAULT_TIMEOUT || time >= STUCK_AFTER;
    wrong.then(|| {
        "EvalWorker: its time-out is not between a model's and the time after which a run is stuck".to_owned()
    })
}
