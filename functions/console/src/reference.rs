//! The reference of the API: for people what its document is for programs, with an example of each operation that a test
//! sends as it is shown.

mod document;
mod example;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    extract::State,
    http::{Method, StatusCode},
};
use domain::{Error, Result};
use serde::Serialize;

use crate::{App, failure::Answer, pages::Plain, visit::Name};
use document::{Document, Field, Kind, Operation};
use example::Example;

/// The document as it is served.
const DOCUMENT: &str = include_str!("../../authoring/openapi.json");

/// A request for each operation, in an order in which one can go after the other.
const EXAMPLES: &str = include_str!("../examples.json");

/// All of it, as its pages show it.
#[derive(Clone)]
pub(crate) struct Reference(Arc<Vec<Group>>);

/// The operations on things of one kind.
#[derive(Serialize)]
struct Group {
    name: String,
    /// The name, as an address has it.
    slug: String,
    operations: Vec<Shown>,
    /// What is sent and answered there.
    types: Vec<Type>,
}

/// An operation.
#[derive(Serialize)]
struct Shown {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    parameters: Vec<Field>,
    /// What may be sent, by media type.
    sent: Vec<(String, Kind)>,
    /// What may be answered: the status, what it means, and of what type the answer is.
    answers: Vec<(String, String, Kind)>,
    example: Option<String>,
}

/// A type that has a name.
#[derive(Serialize)]
struct Type {
    name: String,
    kind: Kind,
    fields: Vec<Field>,
}

#[derive(Serialize)]
struct Overview<'r> {
    groups: &'r [Group],
}

impl Reference {
    /// Reads the document and the examples. An error: one of them does not read.
    pub(crate) fn new() -> Result<Self> {
        let document: Document = serde_json::from_str(DOCUMENT).map_err(Error::internal)?;
        let examples: Vec<Example> = serde_json::from_str(EXAMPLES).map_err(Error::internal)?;
        let mut groups: BTreeMap<&str, Vec<Shown>> = BTreeMap::new();
        for (path, methods) in &document.paths {
            for (method, operation) in methods {
                let method: Method = method.to_uppercase().parse().map_err(Error::internal)?;
                let example = examples.iter().find(|example| example.operation == operation.operation_id);
                let example = example.map(|example| example.command(&method, path));
                groups.entry(operation.group()).or_default().push(shown(operation, &method, path, example));
            }
        }
        let group = |(name, operations): (&str, Vec<Shown>)| Group {
            name: name.to_owned(),
            slug: name.replace(' ', "-"),
            types: types(&document, &operations),
            operations,
        };
        Ok(Self(Arc::new(groups.into_iter().map(group).collect())))
    }
}

fn shown(operation: &Operation, method: &Method, path: &str, example: Option<String>) -> Shown {
    Shown {
        id: operation.operation_id.clone(),
        method: method.to_string(),
        path: path.to_owned(),
        summary: operation.summary.clone(),
        description: operation.description.clone(),
        parameters: operation.parameters.iter().map(document::Parameter::field).collect(),
        sent: operation.sent(),
        answers: operation.answers(),
        example,
    }
}

/// The types of what is sent and answered, and of all that is in it.
fn types(document: &Document, operations: &[Shown]) -> Vec<Type> {
    let sent = operations.iter().flat_map(|operation| operation.sent.iter().map(|(_, kind)| kind));
    let answered = operations.iter().flat_map(|operation| operation.answers.iter().map(|(_, _, kind)| kind));
    let mut open: Vec<String> = sent.chain(answered).flat_map(Kind::names).collect();
    let (mut known, mut types) = (BTreeSet::new(), Vec::new());
    while let Some(name) = open.pop() {
        let Some(schema) = document.components.schemas.get(&name).filter(|_| known.insert(name.clone()))
        else {
            continue;
        };
        let (kind, fields) = (schema.kind(), schema.fields());
        open.extend(fields.iter().map(|field| &field.kind).chain([&kind]).flat_map(Kind::names));
        types.push(Type { name, kind, fields });
    }
    types.sort_by(|one, other| one.name.cmp(&other.name));
    types
}

pub(crate) async fn overview(State(app): State<App>) -> Answer {
    let page = Plain { title: "The API", template: "docs.html" };
    Ok(app.pages.plain(StatusCode::OK, &page, &Overview { groups: &app.reference.0 })?)
}

pub(crate) async fn group(State(app): State<App>, name: Name) -> Answer {
    let group = app.reference.0.iter().find(|group| group.slug == name.0);
    let group = group.ok_or_else(|| Error::not_found("part of the API"))?;
    let page = Plain { title: "The API", template: "docs_group.html" };
    Ok(app.pages.plain(StatusCode::OK, &page, group)?)
}
