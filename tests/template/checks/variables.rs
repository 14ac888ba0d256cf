//! Each function is told what it reads, and nothing else.

use domain::key::{HashedKey, PresentedKey};
use regex::Regex;
use runtime::configuration::name;
use serde_json::{Value, json};

use crate::{
    TEMPLATE,
    checks::{functions::id, network::is_inside},
    code::Code,
    template::{Function, Template},
};

/// The variables that the template may set.
pub(crate) const KNOWN: [&str; 18] = [
    name::REGISTRY_TABLE,
    name::TELEMETRY_TABLE,
    name::BUCKET,
    name::EVAL_QUEUE_URL,
    name::METRICS_QUEUE_URL,
    name::WEBHOOKS_QUEUE_URL,
    name::ARCHIVE_BUCKET,
    name::CACHE_URL,
    name::CACHE_CLUSTER,
    name::CACHE_USER,
    name::CACHE_NAME,
    name::LOG,
    name::MODEL_HOSTS,
    name::JUDGE_MODEL,
    name::EMBEDDING_MODEL,
    name::WATCH_HOURS,
    name::WATCH_USD,
    name::ADMIN_KEY,
];

/// Those that a function can begin without, and that the template tells to whoever goes by them: where models may be
/// to whoever checks a model or calls it.
const OPTIONAL: [(&str, &[&str]); 6] = [
    (name::MODEL_HOSTS, &["Authoring", "Console", "Dispatch", "EvalWorker", "Try"]),
    (name::JUDGE_MODEL, &["EvalWorker"]),
    (name::EMBEDDING_MODEL, &["EvalWorker"]),
    (name::WATCH_HOURS, &["Steer"]),
    (name::WATCH_USD, &["Steer"]),
    (name::ADMIN_KEY, &["Steer"]),
];

/// Those of the cache: a function reads all of them or none.
const CACHE: [&str; 4] = [name::CACHE_URL, name::CACHE_CLUSTER, name::CACHE_USER, name::CACHE_NAME];

/// Where TLS finds authorities, on Lambda: it reads more than this file if it is not told.
const AUTHORITIES: (&str, &str) = ("SSL_CERT_FILE", "/etc/pki/tls/cert.pem");

/// What a variable must be; null where it may be anything.
fn value(name: &str) -> Value {
    match name {
        name::REGISTRY_TABLE => json!({ "Ref": "Registry" }),
        name::TELEMETRY_TABLE => json!({ "Ref": "Telemetry" }),
        name::BUCKET => json!({ "Ref": "TestSets" }),
        name::EVAL_QUEUE_URL => json!({ "Ref": "EvalCases" }),
        name::METRICS_QUEUE_URL => json!({ "Ref": "Metrics" }),
        name::WEBHOOKS_QUEUE_URL => json!({ "Ref": "Webhooks" }),
        name::ARCHIVE_BUCKET => json!({ "Ref": "Archive" }),
        name::CACHE_URL => {
            let ours = json!({ "Fn::Sub": "rediss://${Cache.Endpoint.Address}:${Cache.Endpoint.Port}" });
            json!({ "Fn::If": ["CacheIsOurs", ours, { "Ref": "CacheUrl" }] })
        }
        name::CACHE_CLUSTER => json!("true"),
        name::CACHE_USER => {
            json!({ "Fn::If": ["CacheIsOurs", { "Ref": "CacheUser" }, { "Ref": "CacheUserId" }] })
        }
        name::CACHE_NAME => json!({ "Fn::If": ["CacheIsOurs", { "Ref": "Cache" }, { "Ref": "CacheName" }] }),
        name::MODEL_HOSTS => json!({ "Ref": "ModelHosts" }),
        name::JUDGE_MODEL => json!({ "Ref": "JudgeModel" }),
        name::EMBEDDING_MODEL => json!({ "Ref": "EmbeddingModel" }),
        name::WATCH_HOURS => json!({ "Ref": "WatchHours" }),
        name::WATCH_USD => json!({ "Ref": "WatchUsd" }),
        name::ADMIN_KEY => json!({ "Ref": "AdminKey" }),
        _ => Value::Null,
    }
}

pub(crate) fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let mut complaints = Vec::new();
    for function in template.functions() {
        let package = code.packages.iter().find(|(package, _)| id(package) == function.id);
        let Some((_, required)) = package else { continue };
        let mut needed: Vec<&str> = required.iter().copied().collect();
        if is_inside(&function.id) {
            needed.extend(CACHE);
        }
        let goes_by = |(_, readers): &&(&str, &[&str])| readers.contains(&function.id.as_str());
        needed.extend(OPTIONAL.iter().filter(goes_by).map(|(name, _)| *name));
        complaints.extend(wrong(&function, &needed));
        let (name, path) = AUTHORITIES;
        if !function.variables().any(|(set, value)| set == name && value == path) {
            complaints.push(format!("{}: {name} is not {path}", function.id));
        }
    }
    complaints
}

fn wrong(function: &Function, needed: &[&str]) -> Vec<String> {
    let id = &function.id;
    let set: Vec<_> = function.variables().filter(|(name, _)| name.starts_with("CUECARD_")).collect();
    let missing = needed.iter().filter(|needed| !set.iter().any(|(name, _)| name == *needed));
    let missing = missing.map(|name| format!("{id}: it is not told {name}"));
    let judged = set.iter().filter_map(|(name, given)| {
        let wanted = value(name);
        if !KNOWN.contains(name) {
            return Some(format!("{id}: nobody knows a variable {name}"));
        }
        if wanted.is_null() {
            return None;
        }
        if !needed.contains(name) {
            return Some(format!("{id}: it is told {name}, which it does not need"));
        }
        (**given != wanted).then(|| format!("{id}: {name} is not {wanted}"))
    });
    missing.chain(judged).collect()
}

#[test]
fn the_first_key_is_refused_before_it_is_deployed_where_the_code_would_refuse_it() {
    let template = Template::parse(TEMPLATE);
    let pattern = template.parameter("AdminKey")["AllowedPattern"].as_str().unwrap();
    let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
    assert!(pattern.is_match(""), "a deployment that has keys is told none");
    let drawn = HashedKey::of(&PresentedKey::parse("cue_admin-1_secret").unwrap()).to_string();
    let broken = [
        "cue_admin-1_secret",
        "admin-1",
        ":",
        &drawn[1..70],
        &drawn.to_uppercase(),
        &drawn.replace(':', "_"),
    ];
    for text in [[drawn.as_str()].as_slice(), &broken].concat() {
        assert_eq!(pattern.is_match(text), text.parse::<HashedKey>().is_ok(), "{text}");
    }
    assert!(pattern.is_match(&drawn));
}
