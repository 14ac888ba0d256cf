//! What the code says that the template has to say too. It is asked: the tables are made and described, a platform
//! writes the records that are filtered, and processes use a cache. Only of each `main` the source is read: which
//! configuration it asks for, and whether it serves HTTP.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::LazyLock,
    time::Duration,
};

use axum::http::Method;
use domain::{Alarm, model::ModelEntry};
use e2e::{Call, Raised, World, WorldSettings, text};
use regex::Regex;
use runtime::{Configuration, Variables};
use serde_json::{Value, json};
use testkit::event_source::Failure;

use crate::{
    asked::{Asked, heard},
    cached::Cached,
    checks::{functions::id, variables::KNOWN},
    root, written,
};

/// The prompt that the platform has.
const PROMPT: &str = "greeter";

/// The team that has it.
const TEAM: &str = "support";

/// What the code says.
pub(crate) struct Code {
    /// The names of the packages of functions, each with the variables that it cannot begin without.
    pub(crate) packages: BTreeMap<String, BTreeSet<&'static str>>,
    /// The operations of the API as routes of the gateway, `GET /path`, each with the package that answers it.
    pub(crate) operations: BTreeMap<String, &'static str>,
    /// The tables by their names in the template, with the properties that a template has for what was found.
    pub(crate) tables: BTreeMap<String, Value>,
    /// Records of the registry's stream, as functions are given them.
    pub(crate) records: Vec<Value>,
    /// What the functions write of each alarm.
    pub(crate) alarms: Vec<Value>,
    /// The other metrics that they write.
    pub(crate) metrics: BTreeSet<String>,
    /// What is to be done about each alarm, by its name.
    pub(crate) runbooks: BTreeMap<String, String>,
    /// What its processes ask of a cache.
    pub(crate) cached: Cached,
    /// What its functions ask of AWS.
    pub(crate) asked: &'static Asked,
}

impl Code {
    pub(crate) async fn read() -> Self {
        let model = json!({
            "model_id": "test/model", "provider": "openai", "base_url": "http://127.0.0.1:9",
            "input_usd_per_mtok": 0, "output_usd_per_mtok": 0,
        });
        let builtin: Vec<ModelEntry> = vec![serde_json::from_value(model).unwrap()];
        let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
        let tables = tables(&world).await;
        let records = records(&world).await;
        let cached = Cached::start(world, TEAM, PROMPT).await;
        let (packages, operations, alarms) = (packages(), operations(), alarms());
        let metered = mains().into_values().flat_map(|main| written::metrics(&main));
        let metrics = metered.chain(written::figures()).collect();
        let runbooks = written::runbooks();
        let asked = &heard().await.asked;
        Self { packages, operations, tables, records, alarms, metrics, runbooks, cached, asked }
    }
}

/// The `main`s of the packages of functions, by the names of the packages.
fn mains() -> BTreeMap<String, String> {
    let folders = fs::read_dir(root().join("functions")).unwrap().map(|entry| entry.unwrap().path());
    let package = |folder: &Path| folder.file_name().unwrap().to_str().unwrap().to_owned();
    let main = |folder: &Path| fs::read_to_string(folder.join("src/main.rs")).unwrap();
    folders.map(|folder| (package(&folder), main(&folder))).collect()
}

fn packages() -> BTreeMap<String, BTreeSet<&'static str>> {
    mains().into_iter().map(|(package, main)| (package, required(&main))).collect()
}

/// What a `main` misses when it is told nothing.
fn required(main: &str) -> BTreeSet<&'static str> {
    let constructor = Regex::new(r"Configuration::(of_\w+)").unwrap();
    let nothing = Variables::of([]);
    let configured = match &constructor.captures(main).expect("each `main` reads its configuration")[1] {
        "of_tables" => Configuration::of_tables(nothing),
        "of_evaluation" => Configuration::of_evaluation(nothing),
        "of_dispatch" => Configuration::of_dispatch(nothing),
        "of_metrics" => Configuration::of_metrics(nothing),
        "of_archive" => Configuration::of_archive(nothing),
        other => panic!("Configuration::{other} is new: call it here too"),
    };
    let said = configured.unwrap_err().chain();
    let missing: BTreeSet<_> =
        KNOWN.into_iter().filter(|name| said.contains(&format!("{name} is missing"))).collect();
    assert_eq!(missing.len(), said.matches(" is missing").count(), "a variable is not in the table: {said}");
    missing
}

/// The lines in the log that count the alarms.
fn alarms() -> Vec<Value> {
    let raised = Raised::listen();
    for alarm in Alarm::ALL {
        tracing::error!(alarm = alarm.name(), "raised");
    }
    raised.lines()
}

/// The operations of the API as routes of the gateway, and what stands for the console's pages.
pub(crate) fn operations() -> BTreeMap<String, &'static str> {
    let documents = [
        ("authoring", authoring::openapi()),
        ("ingest", ingest::openapi()),
        ("resolve", resolve::openapi()),
        ("try", try_model::openapi()),
    ];
    let serving =
        mains().into_iter().filter(|(_, main)| main.contains("serve_http(")).map(|(package, _)| package);
    // Pages are no operations: the console says itself what it has no page for.
    let pages = [
        ("ANY /console", "console"),
        ("ANY /console/{page+}", "console"),
        ("GET /docs", "console"),
        ("GET /docs/{group}", "console"),
        ("POST /console/try", "try"),
    ];
    let all = documents.iter().map(|(package, _)| *package).chain(pages.map(|(_, package)| package));
    let known: BTreeSet<_> = all.collect();
    assert!(serving.eq(known), "each function that serves HTTP has its document or its pages here");
    let mut operations: BTreeMap<_, _> =
        pages.into_iter().map(|(route, package)| (route.to_owned(), package)).collect();
    for (package, document) in documents {
        let document = serde_json::to_value(document).unwrap();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                operations.insert(route(&method.to_uppercase(), path), package);
            }
        }
    }
    operations
}

/// A route as the gateway writes it: there, a plus marks a parameter that may contain slashes.
pub(crate) fn route(method: &str, path: &str) -> String {
    static SLASHES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{\*(\w+)\}").unwrap());
    format!("{method} {}", SLASHES.replace_all(path, "{$1+}"))
}

/// All tables of the engine, by the names that they have in the template.
async fn tables(world: &World) -> BTreeMap<String, Value> {
    let listed = world.clients.dynamodb.list_tables().send().await.unwrap();
    let mut tables = BTreeMap::new();
    for name in listed.table_names() {
        let own = name.strip_prefix("cuecard-").unwrap();
        tables.insert(id(own), described(world, name).await);
    }
    tables
}

/// A table of the engine as a template would say it.
async fn described(world: &World, name: &str) -> Value {
    let tables = &world.clients.dynamodb;
    let table = tables.describe_table().table_name(name).send().await.unwrap().table.unwrap();
    let expiry = tables.describe_time_to_live().table_name(name).send().await.unwrap();
    let attributes = table.attribute_definitions().iter().map(|attribute| {
        json!({ "AttributeName": attribute.attribute_name(), "AttributeType": attribute.attribute_type().as_str() })
    });
    let keys = table.key_schema().iter().map(|key| (key.attribute_name(), key.key_type().as_str()));
    let indexes = table.global_secondary_indexes().iter().map(|index| {
        let projection = index.projection().and_then(|shown| Some(shown.projection_type()?.as_str()));
        let keys = index.key_schema().iter().map(|key| (key.attribute_name(), key.key_type().as_str()));
        json!({
            "IndexName": index.index_name(),
            "KeySchema": key_schema(keys),
            "Projection": { "ProjectionType": projection },
        })
    });
    let images = table.stream_specification().and_then(|stream| stream.stream_view_type());
    let expiry = expiry.time_to_live_description.unwrap();
    let expires = expiry.time_to_live_status().is_some_and(|status| status.as_str() == "ENABLED");
    json!({
        "AttributeDefinitions": attributes.collect::<Vec<_>>(),
        "KeySchema": key_schema(keys),
        "GlobalSecondaryIndexes": indexes.collect::<Vec<_>>(),
        "StreamSpecification": images.map(|images| json!({ "StreamViewType": images.as_str() })),
        "TimeToLiveSpecification": { "AttributeName": expiry.attribute_name(), "Enabled": expires },
    })
}

fn key_schema<'a>(keys: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    keys.map(|(name, kind)| json!({ "AttributeName": name, "KeyType": kind })).collect()
}

/// Does what leaves a record of each kind that somebody has to see, and of many that nobody has to.
async fn records(world: &World) -> Vec<Value> {
    let set = json!({ "name": "cases", "team_id": TEAM });
    let set = world.admin(Call::post("/api/test-sets", &set)).await.expect(201);
    let cases = Call::new(Method::PUT, format!("/api/test-sets/{}/versions", text(&set["test_set_id"])));
    let case = json!({ "case_id": "one", "vars": { "message": "hello" }, "expected": "hello" }).to_string();
    world.admin(cases.bytes("application/jsonl", case)).await.expect(201);
    let prompt = world.prompt(TEAM, PROMPT, &json!({ "test_set_id": set["test_set_id"] })).await;
    let version = world.version(&prompt, &json!({ "template_text": "{{ message }}" })).await;
    world.promote(&prompt, &version, "staging").await.expect(200);
    let mut records = drained(world).await;
    // Its cases are lost: they are asked for again, and then nobody wants them any more.
    world.clock.advance(steer::STUCK_AFTER + Duration::from_secs(1));
    assert_eq!(world.steer(steer::STUCK_AFTER).await.runs_sent_again, 1);
    records.extend(drained(world).await);
    let cancel = format!("/api/evals/{}/cancel", text(&version["eval_run_id"]));
    world.admin(Call::post(cancel, &json!({}))).await.expect(200);
    records.extend(drained(world).await);
    records
}

/// The records that are there now, and those that `dispatch` makes of them.
async fn drained(world: &World) -> Vec<Value> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let app = world.dispatch();
    let handle = |event: _| {
        let batch = serde_json::to_value(&event).unwrap();
        for record in batch["Records"].as_array().unwrap() {
            sender.send(record.clone()).unwrap();
        }
        let app = app.clone();
        async move { dispatch::handle(event, &app).await.map_err(Failure::from) }
    };
    while world.stream.drain(&world.clients.streams, handle).await.unwrap() > 0 {}
    receiver.try_iter().collect()
}
