//! A platform each of whose functions is a process of its own, and finds AWS at addresses of its own: what is asked
//! there is asked by this function.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
    middleware::{self, Next},
};
use cache::RemoteSettings;
use e2e::{Answer, Call, FUNCTIONS, Process, World, WorldSettings, cache_program, function_of, text};
use serde_json::{Value, json};
use testkit::{
    Endpoints,
    cache_server::CacheServer,
    fault::{Fault, FaultProxy, Passed, Rule},
    provider::{CallInfo, Reply, ScriptedProvider},
};
use tokio::{net::TcpListener, task::JoinSet};

use super::{Asked, Played, needs};
use crate::{checks::functions::id, code::route};

/// The functions whose `main` gives them the providers' keys and Bedrock.
const CALLERS: [&str; 3] = ["dispatch", "eval-worker", "try"];

/// What the provider answers only when it is asked once more.
pub(super) const AGAIN: &str = "again";

/// A platform.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) provider: ScriptedProvider,
    /// Where all else is that AWS has, and a receiver of webhooks that is gone.
    pub(super) all_else: String,
    functions: BTreeMap<&'static str, Function>,
    asked: Arc<Mutex<Asked>>,
    played: Arc<Mutex<Played>>,
    cache: CacheServer,
    _serving: JoinSet<()>,
}

struct Function {
    process: Process,
    tables: FaultProxy,
    _others: [FaultProxy; 3],
}

impl Stage {
    pub(super) async fn start() -> Self {
        let provider = ScriptedProvider::start(echo).unwrap();
        let model = json!({
            "model_id": "test/model", "provider": "openai", "base_url": provider.url(),
            "input_usd_per_mtok": 0, "output_usd_per_mtok": 0,
        });
        let builtin = vec![serde_json::from_value(model).unwrap()];
        let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let all_else = format!("http://{}", listener.local_addr().unwrap());
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
        let mut stage = Self {
            world,
            provider,
            all_else,
            functions: BTreeMap::new(),
            asked: Arc::default(),
            played: Arc::default(),
            cache: CacheServer::start(&cache_program()).await.unwrap(),
            _serving: serving,
        };
        for function in FUNCTIONS {
            let started = stage.function(function).await;
            stage.functions.insert(function, started);
        }
        stage
    }

    async fn function(&self, name: &'static str) -> Function {
        let witness = |needs: fn(Passed<'_>) -> Vec<String>| {
            let (asked, id) = (Arc::clone(&self.asked), id(name));
            move |call: Passed<'_>| asked.lock().unwrap().entry(id.clone()).or_default().extend(needs(call))
        };
        let engines = self.world.engines();
        let tables = FaultProxy::witnessed(&engines.dynamodb, witness(needs::of_tables)).unwrap();
        let objects = FaultProxy::witnessed(&engines.s3, witness(needs::of_objects)).unwrap();
        let queues = FaultProxy::witnessed(&engines.sqs, witness(needs::of_queues)).unwrap();
        let all_else = FaultProxy::witnessed(&self.all_else, witness(needs::of_all_else)).unwrap();
        let engines = Endpoints { dynamodb: tables.url(), s3: objects.url(), sqs: queues.url() };
        // What the cache knows the tables are not asked for: only who fills it has it here.
        let cache = RemoteSettings { url: self.cache.url(), cluster: false, login: None };
        let mut process = if CALLERS.contains(&name) {
            self.world.another_caller_over(&engines, &all_else.url()).await
        } else {
            self.world.another_process_over(&engines, (name == "propagate").then_some(&cache)).await
        };
        process.router = noted(process.router, name, &self.played);
        Function { process, tables, _others: [objects, queues, all_else] }
    }

    /// The routes that were answered so far.
    pub(super) fn played(&self) -> Played {
        self.played.lock().unwrap().clone()
    }

    /// What was asked so far.
    pub(super) fn asked(&self) -> Asked {
        self.asked.lock().unwrap().clone()
    }

    /// What a function asked so far.
    pub(super) fn asked_by(&self, function: &str) -> BTreeSet<String> {
        self.asked().remove(&id(function)).unwrap_or_default()
    }

    /// The platform, in which this function acts.
    pub(super) fn acting(&mut self, function: &str) -> &World {
        self.world.process = self.functions[function].process.clone();
        &self.world
    }

    /// The next change of this function meets another one.
    pub(super) fn hinder(&self, function: &str) {
        let rule = Rule::on("TransactWriteItems", Fault::Conflict).times(1);
        self.functions[function].tables.rules().add(rule);
    }

    /// Calls as the admin the function that has the route.
    pub(super) async fn admin(&mut self, call: Call) -> Answer {
        self.acting(function_of(call.path())).admin(call).await
    }

    /// Reads as the admin.
    pub(super) async fn get(&mut self, path: impl Into<String>) -> Value {
        self.admin(Call::get(path)).await.expect(200)
    }

    /// Posts as the admin.
    pub(super) async fn post(&mut self, path: impl Into<String>, body: &Value, status: u16) -> Value {
        self.admin(Call::post(path, body)).await.expect(status)
    }

    /// A new test set of the team `support` with these cases; returns its id.
    pub(super) async fn test_set(&mut self, cases: &[Value]) -> String {
        let set = json!({ "name": "cases", "team_id": "support" });
        let set = text(&self.post("/api/test-sets", &set, 201).await["test_set_id"]).to_owned();
        let lines: Vec<_> = cases.iter().map(ToString::to_string).collect();
        let put = Call::new(Method::PUT, format!("/api/test-sets/{set}/versions"));
        self.admin(put.bytes("application/jsonl", lines.join("\n"))).await.expect(201);
        set
    }

    /// Takes away from the bucket what is in it of a test set.
    pub(super) async fn lose(&self, set: &str) {
        let s3 = &self.world.clients.s3;
        let list = s3.list_objects_v2().bucket("cuecard").prefix(format!("datasets/{set}/"));
        for object in list.send().await.unwrap().contents.unwrap_or_default() {
            s3.delete_object().bucket("cuecard").key(object.key.unwrap()).send().await.unwrap();
        }
    }

    /// Steps stream and queue until nothing is left to do.
    pub(super) async fn work(&mut self) {
        while self.acting("dispatch").step_stream().await + self.acting("eval-worker").step_queue().await > 0
        {
        }
    }

    /// Tells `propagate` all that was written since the last time.
    pub(super) async fn propagate(&mut self) {
        let registry = self.acting("propagate").registry();
        let (store, cache, sources) =
            (registry.store.clone(), registry.cache.clone(), registry.sources.clone());
        let app = propagate::App { store, cache, sources };
        for event in self.world.written().await {
            let answer = propagate::handle(event, &app).await.unwrap();
            assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
        }
    }
}

/// The routes of a function, each of which is noted when it does what was asked.
fn noted(router: Router, function: &'static str, played: &Arc<Mutex<Played>>) -> Router {
    let played = Arc::clone(played);
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let played = Arc::clone(&played);
        async move {
            let matched = request.extensions().get::<MatchedPath>();
            let route = matched.map(|path| route(request.method().as_str(), path.as_str()));
            let answer = next.run(request).await;
            if let Some(route) = route.filter(|_| answer.status().is_success()) {
                played.lock().unwrap().entry(function).or_default().insert(route);
            }
            answer
        }
    }))
}

fn echo(call: &CallInfo) -> Reply {
    match call.user() {
        AGAIN if call.attempt == 1 => Reply::Status(429, Some(0)),
        said => Reply::Answer(said.to_owned()),
    }
}

/// Answers as Secrets Manager, as Bedrock, or as nobody.
async fn answer(request: Request) -> (StatusCode, Json<Value>) {
    if request.headers().contains_key("x-amz-target") {
        return (
            StatusCode::OK,
            Json(json!({ "Name": "cuecard/openai", "SecretString": "a key of a provider" })),
        );
    }
    if request.uri().path().starts_with("/model/") {
        let message = json!({ "role": "assistant", "content": [{ "text": "Refund" }] });
        let usage = json!({ "inputTokens": 12, "outputTokens": 3, "totalTokens": 15 });
        let said = json!({
            "output": { "message": message }, "stopReason": "end_turn", "metrics": { "latencyMs": 7 }, "usage": usage,
        });
        return (StatusCode::OK, Json(said));
    }
    (StatusCode::GONE, Json(Value::Null))
}
