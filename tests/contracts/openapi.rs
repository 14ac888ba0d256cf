//! The document is true: it is what the handlers say, its operations are the routes, and it leaves nothing open.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use e2e::Call;
use regex::Regex;
use serde_json::Value;

use crate::{
    api,
    document::{DOCUMENT, Operation, operations},
};

/// The document as it is served.
const SERVED: &str = include_str!("../../functions/authoring/openapi.json");

#[test]
fn the_served_document_is_what_the_handlers_say() {
    let fresh = serde_json::to_string_pretty(&*DOCUMENT).unwrap() + "\n";
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi.json");
    fs::write(&path, &fresh).unwrap();
    let copy = format!("cp {} functions/authoring/openapi.json", path.display());
    assert!(fresh == SERVED, "The handlers changed. Look at the difference, then: {copy}");
}

#[tokio::test]
async fn it_is_served_to_everybody() {
    let world = api::start().await;
    let answer = world.call(Call::get("/api/openapi.json")).await;
    answer.expect(200);
    assert_eq!(answer.text(), SERVED);
}

#[tokio::test]
async fn each_operation_is_a_route() {
    let world = api::start().await;
    for operation in operations() {
        let answer = world.call(Call::new(operation.method.clone(), operation.path)).await;
        assert_ne!(answer.status, 405, "{}", operation.name());
        assert_ne!(answer.problem(), "no-such-route", "{}", operation.name());
    }
}

#[test]
fn each_route_is_an_operation_because_no_function_mounts_one_in_another_way() {
    let mounted =
        Regex::new(r"\.(route|route_service|nest|nest_service|fallback)\(|\baxum::routing\b").unwrap();
    let sources = sources_of_functions();
    assert!(sources.len() > 20, "the functions are somewhere else now: {sources:?}");
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        // Pages are no operations.
        let is_page = |at: usize| ["\"/console", "\"/docs"].iter().any(|page| text[at..].starts_with(page));
        let found = mounted.find_iter(&text).find(|found| !is_page(found.end()));
        assert!(found.is_none(), "{}: `{}`: mount with `routes!`", path.display(), found.unwrap().as_str());
    }
}

fn sources_of_functions() -> Vec<PathBuf> {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let folders = fs::read_dir(functions).unwrap().map(|folder| folder.unwrap().path().join("src"));
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

#[test]
fn no_response_is_left_open() {
    for operation in operations() {
        let responses = operation.value["responses"].as_object().unwrap();
        assert!(!responses.contains_key("default"), "{}", operation.name());
        assert!(responses.keys().any(|status| status.starts_with('2')), "{}", operation.name());
        let refusals = ["401", "403"].map(|status| responses.contains_key(status));
        assert_eq!(refusals, [!operation.is_open(); 2], "{}", operation.name());
    }
    let open: Vec<_> = operations().into_iter().filter(Operation::is_open).map(|op| op.path).collect();
    assert_eq!(open, ["/api/openapi.json", "/healthz", "/readyz"]);
}

#[test]
fn each_operation_has_an_id_of_its_own_and_says_what_it_does() {
    let mut ids = BTreeSet::new();
    for operation in operations() {
        let said = |member: &str| operation.value[member].as_str().filter(|text| !text.is_empty());
        assert!(said("summary").is_some(), "{}", operation.name());
        assert!(ids.insert(said("operationId").unwrap()), "{}", operation.name());
        for name in operation.path.split('{').skip(1).filter_map(|part| part.split('}').next()) {
            let parameters = operation.value["parameters"].as_array().unwrap();
            let found = parameters.iter().filter(|at| at["in"] == "path" && at["name"] == name);
            assert_eq!(found.count(), 1, "{}: {name}", operation.name());
        }
    }
}

#[test]
fn each_schema_has_a_type_and_each_reference_leads_somewhere() {
    let mut untyped = Vec::new();
    walk(&DOCUMENT, "", &mut untyped);
    assert!(untyped.is_empty(), "{}", untyped.join("\n"));
}

/// Looks at every schema: those by name, those under `schema`, and the parts of each.
fn walk(value: &Value, at: &str, untyped: &mut Vec<String>) {
    let Some(members) = value.as_object() else {
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            walk(item, &format!("{at}/{index}"), untyped);
        }
        return;
    };
    for (name, member) in members {
        let place = format!("{at}/{name}");
        if matches!(name.as_str(), "schemas" | "properties") && !at.ends_with("/properties") {
            for (name, schema) in member.as_object().unwrap() {
                check_schema(schema, &format!("{place}/{name}"), untyped);
            }
        }
        if matches!(name.as_str(), "schema" | "items")
            || (name == "additionalProperties" && member.is_object())
        {
            check_schema(member, &place, untyped);
        }
        for (index, schema) in
            member.as_array().filter(|_| name.ends_with("Of")).into_iter().flatten().enumerate()
        {
            check_schema(schema, &format!("{place}/{index}"), untyped);
        }
        walk(member, &place, untyped);
    }
}

fn check_schema(schema: &Value, at: &str, untyped: &mut Vec<String>) {
    if let Some(to) = schema["$ref"].as_str() {
        let target = to.strip_prefix('#').and_then(|pointer| DOCUMENT.pointer(pointer));
        if target.is_none() {
            untyped.push(format!("{at}: {to} leads nowhere"));
        }
    } else if !["type", "oneOf", "allOf", "anyOf"].iter().any(|kind| schema.get(kind).is_some()) {
        untyped.push(format!("{at}: {schema}"));
    }
}
