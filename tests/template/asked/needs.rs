//! What a caller needs for a call of AWS, as `action on place`: the actions of IAM, on the template's own resources.
//!
//! A call of a kind that is not known here needs something that nobody has, so that it is seen.

use axum::http::{Method, StatusCode};
use e2e::ARCHIVE;
use serde_json::Value;
use testkit::fault::Passed;

use crate::template::{elements, entries, text};

/// The providers' keys, as the tests name them: on AWS it is `ModelSecrets` that begins their names.
const SECRETS: &str = "cuecard/";

/// The actions of a transaction's parts.
const PARTS: [(&str, &str); 5] = [
    ("Get", "GetItem"),
    ("Put", "PutItem"),
    ("Update", "UpdateItem"),
    ("Delete", "DeleteItem"),
    ("ConditionCheck", "ConditionCheckItem"),
];

/// What needs an action of its own beside that of the object.
const BESIDE_OBJECTS: [(&str, &str); 4] = [
    ("x-amz-acl", "s3:PutObjectAcl"),
    ("x-amz-object-lock-legal-hold", "s3:PutObjectLegalHold"),
    ("x-amz-object-lock-mode", "s3:PutObjectRetention"),
    ("x-amz-tagging", "s3:PutObjectTagging"),
];

/// What is asked of buckets and objects themselves, and not of what belongs to them, such as their tags.
const PLAIN: [&str; 6] = ["continuation-token", "list-type", "max-keys", "prefix", "start-after", "x-id"];

/// The resource that has this name in the tests.
fn place(name: &str) -> &'static str {
    match name {
        "cuecard-registry" => "Registry.Arn",
        "cuecard-telemetry" => "Telemetry.Arn",
        "cuecard" => "TestSets.Arn",
        ARCHIVE => "Archive.Arn",
        "cuecard-eval" => "EvalCases.Arn",
        "cuecard-metrics" => "Metrics.Arn",
        "cuecard-webhooks" => "Webhooks.Arn",
        _ => "nothing of the template",
    }
}

/// A call of DynamoDB. A transaction and a batch need what their parts need.
pub(crate) fn of_tables(call: Passed<'_>) -> Vec<String> {
    let (operation, body) = (operation(&call), body(&call));
    let on_table = |action: &str, of: &Value| {
        let table = place(text(&of["TableName"]));
        match of["IndexName"].as_str() {
            Some(index) => format!("dynamodb:{action} on ${{{table}}}/index/{index}"),
            None => format!("dynamodb:{action} on {table}"),
        }
    };
    match operation {
        "TransactGetItems" | "TransactWriteItems" => {
            let parts = elements(&body["TransactItems"]).into_iter().flat_map(entries);
            let action =
                |name: &str| PARTS.iter().find(|(part, _)| *part == name).map_or("?", |(_, action)| *action);
            parts.map(|(name, part)| on_table(action(name), part)).collect()
        }
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = entries(&body["RequestItems"]);
            tables.map(|(table, _)| format!("dynamodb:{operation} on {}", place(table))).collect()
        }
        _ => vec![on_table(operation, &body)],
    }
}

/// A call of S3. Only who may list a bucket is told that an object is missing: whoever was told needs that too.
pub(crate) fn of_objects(call: Passed<'_>) -> Vec<String> {
    let path = call.head.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let bucket = place(bucket);
    let folder = key.split('/').next().unwrap_or_default();
    let on_objects = |action: &str| format!("{action} on ${{{bucket}}}/{folder}/*");
    let lists = format!("s3:ListBucket on {bucket}");
    let query = call.head.uri.query().unwrap_or_default().as_bytes();
    let is_plain = |name: &str| PLAIN.contains(&name) || name.to_ascii_lowercase().starts_with("x-amz-");
    if let Some((name, _)) = form_urlencoded::parse(query).find(|(name, _)| !is_plain(name)) {
        return vec![on_objects(&format!("s3:? ({} ?{name})", call.head.method))];
    }
    match (&call.head.method, key) {
        (&Method::GET | &Method::HEAD, "") => vec![lists],
        (&Method::GET | &Method::HEAD, _) if call.status == StatusCode::NOT_FOUND => {
            vec![on_objects("s3:GetObject"), lists]
        }
        (&Method::GET | &Method::HEAD, _) => vec![on_objects("s3:GetObject")],
        (&Method::PUT, _) if !key.is_empty() && !call.head.headers.contains_key("x-amz-copy-source") => {
            let beside = BESIDE_OBJECTS.iter().filter(|(header, _)| call.head.headers.contains_key(*header));
            let beside = beside.map(|(_, action)| on_objects(action));
            beside.chain([on_objects("s3:PutObject")]).collect()
        }
        (&Method::DELETE, _) if !key.is_empty() => vec![on_objects("s3:DeleteObject")],
        (method, _) => vec![on_objects(&format!("s3:? ({method})"))],
    }
}

/// A call of SQS. The batches of an action need the action.
pub(crate) fn of_queues(call: Passed<'_>) -> Vec<String> {
    let action = operation(&call).trim_end_matches("Batch");
    let body = body(&call);
    let name = text(&body["QueueUrl"]).rsplit('/').next().unwrap_or_default();
    vec![format!("sqs:{action} on {}", place(name))]
}

/// A call of what else there is: Secrets Manager, and Bedrock's Converse.
///
/// A model in several regions is called by its inference profile, whose name begins with where these are. Who calls
/// it needs the model in each of them.
pub(crate) fn of_all_else(call: Passed<'_>) -> Vec<String> {
    if operation(&call) == "GetSecretValue" {
        let body = body(&call);
        let is_ours = text(&body["SecretId"]).starts_with(SECRETS);
        let secret = if is_ours { "${ModelSecrets}/*" } else { "?" };
        let place = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:";
        return vec![format!("secretsmanager:GetSecretValue on {place}{secret}")];
    }
    let path = call.head.uri.path();
    let Some(model) = path.strip_prefix("/model/").and_then(|rest| rest.strip_suffix("/converse")) else {
        return vec![format!("{} of {path}", operation(&call))];
    };
    let models = "bedrock:InvokeModel on arn:${AWS::Partition}:bedrock:*::foundation-model/*";
    let profiles = "bedrock:InvokeModel on \
         arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}:inference-profile/*";
    let is_profile = ["us.", "eu.", "apac.", "global."].iter().any(|begin| model.starts_with(begin));
    let needed = if is_profile { vec![models, profiles] } else { vec![models] };
    needed.into_iter().map(str::to_owned).collect()
}

/// The operation; empty where the path says it.
fn operation<'a>(call: &Passed<'a>) -> &'a str {
    let target = call.head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    target.and_then(|target| target.rsplit('.').next()).unwrap_or_default()
}

fn body(call: &Passed<'_>) -> Value {
    serde_json::from_slice(call.body).unwrap_or_default()
}
