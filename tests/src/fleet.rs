//! The platform as Lambda runs it: the built programs in sandboxes, fed by gateway, streams and queues.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_lambda_events::event::{dynamodb::Event, sqs::SqsEvent};
use domain::key::PresentedKey;
use models::{Models, Secrets};
use registry::Registry;
use runtime::{Queue, aws::Aws, configuration::name};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{
    Clients, Endpoints, Engines,
    engines::{ACCESS_KEY, REGION, SECRET_KEY},
    event_source::{QueueSource, StreamSource},
    runtime_api::{Function, HttpFront, InvokeError, Settings},
};
use tokio::task::JoinSet;

use crate::{
    binary::{FUNCTIONS, Profile, bootstrap},
    world::{ADMIN, connect, names},
};

/// How a fleet is started.
pub struct FleetSettings {
    /// How many processes of each function there are at most.
    pub sandboxes: usize,
    /// How many requests each process of `resolve` takes at once.
    pub concurrency: usize,
    /// The cache of those functions that have one on AWS.
    pub cache_url: Option<String>,
    /// How the programs are built.
    pub profile: Profile,
}

impl Default for FleetSettings {
    fn default() -> Self {
        Self { sandboxes: 2, concurrency: 1, cache_url: None, profile: Profile::Dev }
    }
}

/// Functions that reach the cache: those inside the private network.
const WITH_CACHE: [&str; 5] = ["authoring", "propagate", "resolve", "rollback", "steer"];

/// Running functions. Dropping it kills their processes.
pub struct Fleet {
    settings: FleetSettings,
    queue_url: String,
    functions: HashMap<&'static str, Arc<Function>>,
    front: Option<HttpFront>,
    pumps: JoinSet<()>,
    /// The engines that all of them call.
    pub engines: Engines,
    folder: TempDir,
}

impl Fleet {
    /// Starts every function over new engines, with one admin.
    pub async fn start(settings: FleetSettings) -> Self {
        let folder = TempDir::with_prefix("cuecard-").expect("there is a temporary folder");
        let engines = Engines::start(folder.path()).await.expect("the engines start");
        let aws = connect(engines.endpoints()).await;
        install(&aws).await;
        let (queue_url, dead_letters_url) =
            Queue::create(&aws, "cuecard-eval", Duration::from_secs(30)).await.expect("the queues are made");
        let mut fleet = Self {
            settings,
            queue_url: queue_url.clone(),
            functions: HashMap::new(),
            front: None,
            pumps: JoinSet::new(),
            engines,
            folder,
        };
        for name in FUNCTIONS {
            let cache_url = fleet.settings.cache_url.clone().filter(|_| WITH_CACHE.contains(&name));
            let function = fleet.another(name, cache_url.as_deref());
            fleet.functions.insert(name, Arc::new(function));
        }
        let routed = fleet.functions.clone();
        let front = HttpFront::start(move |_, path| routed.get(of_path(path)).cloned());
        fleet.front = Some(front.expect("the front starts"));
        let clients = testkit::clients(fleet.engines.endpoints());
        for consumer in ["dispatch", "propagate"] {
            fleet.follow_stream(consumer, clients.clone());
        }
        for queue in [&queue_url, &dead_letters_url] {
            fleet.poll(queue, clients.clone());
        }
        fleet.invoke("steer", json!({})).await.expect("steer makes the first signing key");
        fleet
    }

    /// Where the gateway listens: a URL without a trailing slash.
    pub fn url(&self) -> String {
        self.front.as_ref().map(HttpFront::url).unwrap_or_default()
    }

    /// A further set of processes of a function, which the gateway knows nothing of.
    pub fn another(&self, name: &str, cache_url: Option<&str>) -> Function {
        Function::start(Settings {
            program: bootstrap(name, self.settings.profile),
            name: name.to_owned(),
            environment: environment(self.engines.endpoints(), &self.queue_url, cache_url),
            sandboxes: self.settings.sandboxes,
            concurrency: if name == "resolve" { self.settings.concurrency } else { 1 },
            timeout: Duration::from_secs(25),
        })
    }

    /// One of the functions.
    pub fn function(&self, name: &str) -> &Arc<Function> {
        &self.functions[name]
    }

    /// Invokes a function directly.
    pub async fn invoke(&self, name: &str, event: Value) -> Result<Value, InvokeError> {
        self.function(name).invoke(event).await
    }

    fn follow_stream(&mut self, consumer: &'static str, clients: Clients) {
        let source = StreamSource::new(&names().registry, consumer, self.folder.path());
        let function = self.function(consumer).clone();
        self.pumps.spawn(async move {
            let handle = move |event: Event| pass(function.clone(), event);
            source.run(&clients.streams, std::future::pending(), handle).await;
        });
    }

    fn poll(&mut self, queue_url: &str, clients: Clients) {
        let source = QueueSource { visibility: Duration::from_secs(5), ..QueueSource::new(queue_url) };
        let function = self.function("eval-worker").clone();
        self.pumps.spawn(async move {
            let handle = move |event: SqsEvent| pass(function.clone(), event);
            source.run(&clients.sqs, std::future::pending(), handle).await;
        });
    }
}

/// Hands an event to a function as JSON, and reads its answer.
async fn pass<E: Serialize, A: DeserializeOwned>(
    function: Arc<Function>,
    event: E,
) -> Result<A, Box<dyn std::error::Error + Send + Sync>> {
    let answer = function.invoke(serde_json::to_value(event)?).await?;
    Ok(serde_json::from_value(answer)?)
}

/// What a deployment does once: tables, bucket, and the first admin.
async fn install(aws: &Aws) {
    let store = aws.store(names());
    store.create_missing().await.expect("the tables are made");
    let models = Models::new(models::Settings::of_function(Secrets::new(|_| None), true)).expect("no models");
    let registry = Registry::new(store, None, runtime::sources::system(), models);
    let admin = PresentedKey::parse(ADMIN).expect("the admin's key is one");
    registry.ensure_admin_key(&admin).await.expect("the admin's key is made");
}

fn environment(endpoints: &Endpoints, queue_url: &str, cache_url: Option<&str>) -> Vec<(String, String)> {
    let names = names();
    let given = [
        (name::REGISTRY_TABLE, names.registry.as_str()),
        (name::TELEMETRY_TABLE, &names.telemetry),
        (name::BUCKET, &names.bucket),
        (name::ARCHIVE_BUCKET, &names.archive),
        (name::EVAL_QUEUE_URL, queue_url),
        (name::CACHE_URL, cache_url.unwrap_or_default()),
        (name::MODELS_ON_LOOPBACK, "true"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &endpoints.dynamodb),
        ("AWS_ENDPOINT_URL_S3", &endpoints.s3),
        ("AWS_ENDPOINT_URL_SQS", &endpoints.sqs),
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
    ];
    given.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Which function has the route of a path, as template.yaml says it.
fn of_path(path: &str) -> &'static str {
    match path {
        "/api/try" => "try",
        path if path.starts_with("/api/resolve") => "resolve",
        _ => "authoring",
    }
}
