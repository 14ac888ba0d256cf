//! The description of the API as the handlers make it, and answers held against it.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use axum::http::{HeaderMap, Method, StatusCode};
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

/// The document, made from the handlers of all functions.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let parts = [authoring::openapi(), ingest::openapi(), resolve::openapi(), try_model::openapi()];
    web::openapi::document(parts).expect("the document is JSON")
});

/// One operation of the document.
pub(crate) struct Operation<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) value: &'a Value,
}

impl Operation<'_> {
    /// Its place, as messages name it.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether it asks for no key.
    pub(crate) fn is_open(&self) -> bool {
        self.value["security"] == json!([{}])
    }
}

/// All operations.
pub(crate) fn operations() -> Vec<Operation<'static>> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let of_path = |(path, item): (&'static String, &'static Value)| {
        item.as_object().unwrap().iter().map(move |(method, value)| Operation {
            method: method.to_uppercase().parse().unwrap(),
            path,
            value,
        })
    };
    paths.iter().flat_map(of_path).collect()
}

/// Holds an answer against what its operation says of itself: the status, the media type and the schema.
pub(crate) fn hold(method: &Method, route: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
    let path = route.replace("{*", "{");
    let operation = operations().into_iter().find(|op| op.method == *method && op.path == path);
    // A method that the route has not is refused before any operation is reached.
    let Some(operation) = operation else {
        return assert_eq!(status, 405, "{method} {path} is no operation");
    };
    let name = format!("{} {}", operation.name(), status.as_u16());
    let response = &operation.value["responses"][status.as_str()];
    assert!(response.is_object(), "{name} is not in the document: {}", String::from_utf8_lossy(body));
    let media_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default();
    let Some(content) = response["content"].as_object() else {
        return assert!(body.is_empty(), "{name} has a body that the document does not know");
    };
    let schema = content.get(media_type).unwrap_or_else(|| panic!("{name} answers `{media_type}`"));
    if media_type.ends_with("json") {
        let body: Value = serde_json::from_slice(body).unwrap();
        if let Err(error) = validator(&name, &schema["schema"]).validate(&body) {
            panic!("{name}: {error} at `{}`: {body}", error.instance_path());
        }
    }
}

/// The compiled schema of an answer. Members that the schema does not know are refused, except in problems, whose
/// facts differ from type to type.
fn validator(name: &str, schema: &Value) -> Arc<Validator> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let compile = || {
        let mut whole = json!({ "components": DOCUMENT["components"], "allOf": [schema] });
        if schema["$ref"].as_str().is_some_and(|to| !to.ends_with("/Problem")) {
            whole["unevaluatedProperties"] = json!(false);
        }
        let built = jsonschema::options().with_draft(Draft::Draft202012).offline().build(&whole);
        Arc::new(built.unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    compiled.entry(name.to_owned()).or_insert_with(compile).clone()
}
