//! The registry's stream has two readers, each is given the records that it is for, and what fails is not lost.

use std::collections::BTreeSet;

use domain::eval_run::RunStatus;
use serde_json::{Value, json};
use store::keys::Key;

use crate::{
    code::Code,
    pattern::passes,
    template::{Function, Template, elements, named, text},
};

const DISPATCH: &str = "Dispatch";
const PROPAGATE: &str = "Propagate";

pub(crate) fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let functions = template.functions();
    let readers: Vec<_> =
        functions.iter().filter(|function| function.events("DynamoDB").count() > 0).collect();
    let ids: Vec<_> = readers.iter().map(|function| function.id.as_str()).collect();
    if ids != [DISPATCH, PROPAGATE] {
        return vec![format!("the readers of the stream are {ids:?}, not {DISPATCH} and {PROPAGATE}")];
    }
    let judge = |reader: &&Function| match reader.events("DynamoDB").collect::<Vec<_>>()[..] {
        [event] => [lossy(template, &reader.id, event), misled(&reader.id, event, code)].concat(),
        _ => vec![format!("{}: it reads the stream more than once", reader.id)],
    };
    readers.iter().flat_map(judge).collect()
}

/// What lets a record that fails hold up the others, or get lost.
fn lossy(template: &Template, id: &str, event: &Value) -> Vec<String> {
    let queue = &event["DestinationConfig"]["OnFailure"];
    let queue = named(&queue["Destination"]).filter(|_| queue["Type"] == "SQS").unwrap_or_default();
    let wanted = [
        (
            event["Stream"] == json!({ "Fn::GetAtt": "Registry.StreamArn" }),
            "it does not read the registry's stream",
        ),
        (event["StartingPosition"] == "TRIM_HORIZON", "it does not begin with the oldest record"),
        (event["BisectBatchOnFunctionError"] == true, "a batch that fails is not divided"),
        (
            event["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]),
            "it cannot say which record failed",
        ),
        (event["MaximumRetryAttempts"].as_u64().is_some(), "a record that keeps failing holds up all others"),
        (template.resource(queue)["Type"] == "AWS::SQS::Queue", "what it gives up is lost"),
    ];
    wanted.into_iter().filter(|(holds, _)| !holds).map(|(_, wrong)| format!("{id}: {wrong}")).collect()
}

/// The records that the filters keep from a reader who is to see them, and those that they let through to another.
fn misled(id: &str, event: &Value, code: &Code) -> Vec<String> {
    let filters = elements(&event["FilterCriteria"]["Filters"]).into_iter();
    let patterns: Vec<Value> =
        match filters.map(|filter| serde_json::from_str(text(&filter["Pattern"]))).collect() {
            Ok(patterns) => patterns,
            Err(error) => return vec![format!("{id}: its filters are no JSON: {error}")],
        };
    let mut complaints = BTreeSet::new();
    let mut judge = |record: &Value, what: &str, wanted: bool| match passes_any(&patterns, record) {
        Ok(passes) if passes == wanted => false,
        Ok(true) => complaints.insert(format!("{id}: it is given {what}, which is not for it")),
        Ok(false) => complaints.insert(format!("{id}: it is not given {what}")),
        Err(error) => complaints.insert(format!("{id}: its filters do not read: {error}")),
    };
    for record in &code.records {
        let (kind, readers) = readers(record);
        judge(record, &kind, readers.contains(&id));
        let mut expired = record.clone();
        expired["eventName"] = json!("REMOVE");
        expired["dynamodb"]["NewImage"] = Value::Null;
        judge(&expired, &format!("the removal of {kind}"), false);
    }
    complaints.into_iter().collect()
}

/// Without a filter, everything passes.
fn passes_any(patterns: &[Value], record: &Value) -> Result<bool, String> {
    let mut any = patterns.is_empty();
    for pattern in patterns {
        any |= passes(pattern, record)?;
    }
    Ok(any)
}

/// What a record is about, and who has to see it.
fn readers(record: &Value) -> (String, &'static [&'static str]) {
    let change = &record["dynamodb"];
    let key = Key::of_item(|name| Some(change["Keys"][name]["S"].as_str()?.to_owned())).unwrap();
    let kind = format!("{key:?}").split('(').next().unwrap_or_default().to_owned();
    match key {
        Key::Run(..) => {
            let status: RunStatus =
                serde_json::from_value(change["NewImage"]["status"]["S"].clone()).unwrap();
            (format!("a run that is {status:?}"), if status.is_open() { &[DISPATCH] } else { &[] })
        }
        Key::PromptAudit(..) => (kind, &[DISPATCH, PROPAGATE]),
        Key::Ref(..) | Key::Name(..) | Key::ApiKey(_) | Key::TeamAudit(..) => (kind, &[PROPAGATE]),
        Key::Prompt(_)
        | Key::Version(..)
        | Key::VersionState(..)
        | Key::VersionById(_)
        | Key::RunById(_)
        | Key::Trial(..)
        | Key::TrialById(_)
        | Key::Weights(..)
        | Key::TestSet(_)
        | Key::TestSetVersion(..)
        | Key::Team(_)
        | Key::SigningKey(_)
        | Key::Model(_)
        | Key::Idempotency(..)
        | Key::Webhook(_)
        | Key::Session(_)
        | Key::AuditRound => (kind, &[]),
    }
}

#[tokio::test]
async fn there_is_a_record_of_each_kind_that_somebody_has_to_see() {
    let code = Code::read().await;
    let seen = code.records.iter().map(readers).filter(|(_, readers)| !readers.is_empty());
    let kinds: BTreeSet<_> = seen.map(|(kind, _)| kind).collect();
    let wanted = [
        "ApiKey",
        "Name",
        "PromptAudit",
        "Ref",
        "TeamAudit",
        "a run that is Queued",
        "a run that is Running",
    ];
    assert_eq!(kinds, wanted.map(str::to_owned).into());
}
