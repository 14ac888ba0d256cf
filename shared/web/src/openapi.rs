//! What every operation of the API has in common, added to what the handlers say of themselves.

use domain::ErrorKind;
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

use crate::problem::describe;

/// What any operation may answer.
const ANY: [ErrorKind; 5] = [
    ErrorKind::UrlTooLong,
    ErrorKind::Invalid,
    ErrorKind::Contended,
    ErrorKind::Internal,
    ErrorKind::TooManyRequests,
];
/// What an operation behind a key may answer.
const KEYED: [ErrorKind; 3] = [ErrorKind::Unauthenticated, ErrorKind::Forbidden, ErrorKind::NotFound];
/// What an operation that reads a body may answer: also one that takes none refuses what it cannot read.
const WITH_BODY: [ErrorKind; 3] =
    [ErrorKind::MalformedJson, ErrorKind::TooLarge, ErrorKind::UnsupportedMediaType];

/// The operations of other people's protocols, which say themselves what they refuse, and in what words.
const FOREIGN: [&str; 1] = ["ofrep"];
/// What these may answer beside: what no handler sees.
const UNSEEN: [ErrorKind; 1] = [ErrorKind::UrlTooLong];

/// The whole document: the parts of all functions, with what they have in common.
pub fn document(parts: impl IntoIterator<Item = OpenApi>) -> Result<Value, serde_json::Error> {
    let mut whole = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Cuecard", "version": env!("CARGO_PKG_VERSION"),
            "description": "Release engineering for prompts.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": {}, "components": { "schemas": { "Problem": problem_schema() }, "securitySchemes": security() },
    });
    for part in parts {
        let part = serde_json::to_value(part)?;
        for place in ["/paths", "/components/schemas"] {
            let found = part.pointer(place).and_then(Value::as_object).cloned().unwrap_or_default();
            if let Some(into) = whole.pointer_mut(place).and_then(Value::as_object_mut) {
                into.extend(found.into_iter().map(|(name, value)| (name.replace("{*", "{"), value)));
            }
        }
    }
    let schemas = whole["components"]["schemas"].clone();
    if let Some(paths) = whole.pointer_mut("/paths").and_then(Value::as_object_mut) {
        paths
            .values_mut()
            .filter_map(Value::as_object_mut)
            .flatten()
            .for_each(|(method, operation)| complete(method, operation, &schemas));
    }
    Ok(whole)
}

/// Adds to an operation what it shares with others. An operation with `security: [{}]` is open to all.
fn complete(method: &str, operation: &mut Value, schemas: &Value) {
    let open = operation.get("security").is_some();
    // Handlers of two resources may have the same name; the ids of operations must differ.
    let names = [&operation["tags"][0], &operation["operationId"]];
    let [tag, handler] = names.map(|name| name.as_str().unwrap_or_default());
    let foreign = FOREIGN.contains(&tag);
    operation["operationId"] = json!(format!("{tag}_{handler}").replace(' ', "_"));
    if !open {
        operation["security"] = json!([{ "key": [] }, { "header": [] }]);
    }
    // A body that is not there reads as `{}`: it is needed where one of its members is.
    let body =
        operation.pointer("/requestBody/content/application~1json/schema/$ref").and_then(Value::as_str);
    let body = body.and_then(|to| to.rsplit('/').next());
    if body.is_some_and(|name| schemas[name].get("required").is_none()) {
        operation["requestBody"]["required"] = json!(false);
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for kind in if foreign { UNSEEN.to_vec() } else { common(method, open) } {
        let (status, _, title) = describe(kind);
        responses.entry(status.as_u16().to_string()).or_insert_with(|| problem_response(title));
    }
    for (status, response) in responses.iter_mut().filter(|_| !foreign) {
        let is_error = status.parse::<u16>().is_ok_and(|status| status >= 400);
        if is_error && response.get("content").is_none() {
            let title = response["description"].as_str().unwrap_or_default().to_owned();
            *response = problem_response(&title);
        }
    }
}

/// What an operation may answer like all others.
fn common(method: &str, open: bool) -> Vec<ErrorKind> {
    let keyed = KEYED.into_iter().filter(|_| !open);
    let with_body = WITH_BODY.into_iter().filter(|_| method != "get");
    ANY.into_iter().chain(keyed).chain(with_body).collect()
}

fn problem_response(title: &str) -> Value {
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    json!({ "description": title, "content": { "application/problem+json": { "schema": schema } } })
}

fn problem_schema() -> Value {
    json!({
        "type": "object", "required": ["type", "title", "status", "detail", "instance"],
        "properties": {
            "type": { "type": "string", "format": "uri" }, "title": { "type": "string" },
            "status": { "type": "integer" }, "detail": { "type": "string" }, "instance": { "type": "string" },
            "errors": { "type": "array", "items": {
                "type": "object", "required": ["pointer", "detail"],
                "properties": { "pointer": { "type": "string" }, "detail": { "type": "string" } },
            } },
        },
    })
}

fn security() -> Value {
    json!({
        "key": { "type": "http", "scheme": "bearer", "description": "cue_<id>_<secret>" },
        "header": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
    })
}
