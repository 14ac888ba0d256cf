//! The platform as Lambda runs it: the built programs in sandboxes, fed by gateway, streams and queues.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lambda_events::event::{dynamodb::Event, sqs::SqsEvent};
use domain::key::PresentedKey;
use models::Models;
use registry::Registry;
use runtime::{Queue, aws::Aws, configuration::name};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{
    Clients, Engines, Expired,
    engines::{ACCESS_KEY, REGION, SECRET_KEY},
    event_source::{QueueSource, StreamSource},
    runtime_api::{Function, HttpFront, InvokeError, Settings},
};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    binary::{FUNCTIONS, Profile, bootstrap},
    logged::{Watched, also_logged},
    world::{ADMIN, connect, create, names},
};

/// How a fleet is started.
pub struct FleetSettings {
    /// How many processes of each function there are at most.
    pub sandboxes: usize,
    /// How many requests each process of `resolve` takes at once.
    pub concurrency: usize,
    /// What the environment says of the cache, for those functions that have one on AWS.
    pub cache: Vec<(&'static str, String)>,
    /// How the programs are built.
    pub profile: Profile,
}

impl Default for FleetSettings {
    fn default() -> Self {
        Self { sandboxes: 2, concurrency: 1, cache: Vec::new(), profile: Profile::Dev }
    }
}

/// Functions inside the private network: they reach the tables, the buckets and the cache, and nothing else.
pub const PRIVATE: [&str; 6] = ["authoring", "console", "propagate", "resolve", "rollback", "steer"];

/// Running functions. Dropping it kills their processes.
pub struct Fleet {
    settings: FleetSettings,
    queue_url: String,
    metrics_url: String,
    webhooks_url: String,
    functions: HashMap<&'static str, Arc<Function>>,
    front: Option<HttpFront>,
    outside: Outside,
    pumps: JoinSet<()>,
    /// The engines that all of them call.
    pub engines: Engines,
    folder: TempDir,
    /// Dropped after all that logs.
    _watched: Watched,
}

impl Fleet {
    /// Starts every function over new engines, with one admin.
    pub async fn start(settings: FleetSettings) -> Self {
        let watched = Watched::begin();
        let folder = TempDir::with_prefix("cuecard-").expect("there is a temporary folder");
        let engines = Engines::start(folder.path(), Expired::Removed).await.expect("the engines start");
        let aws = connect(engines.endpoints()).await;
        install(&aws, &testkit::clients(engines.endpoints())).await;
        let create = async |name, tries| {
            Queue::create(&aws, name, Duration::from_secs(30), tries).await.expect("the queues are made")
        };
        let (queue_url, dead_letters_url) = create("cuecard-eval", 3).await;
        let (metrics_url, _) = create("cuecard-metrics", 3).await;
        let (webhooks_url, _) = create("cuecard-webhooks", 5).await;
        let mut fleet = Self {
            settings,
            queue_url: queue_url.clone(),
            metrics_url: metrics_url.clone(),
            webhooks_url: webhooks_url.clone(),
            functions: HashMap::new(),
            front: None,
            outside: Outside::listen().await,
            pumps: JoinSet::new(),
            engines,
            folder,
            _watched: watched,
        };
        for name in FUNCTIONS {
            let function = fleet.another(name, &[]);
            fleet.functions.insert(name, Arc::new(function));
        }
        let routed = fleet.functions.clone();
        let front = HttpFront::start(move |_, path| routed.get(function_of(path)).cloned());
        fleet.front = Some(front.expect("the front starts"));
        let clients = testkit::clients(fleet.engines.endpoints());
        for consumer in ["dispatch", "propagate"] {
            fleet.follow_stream(consumer, clients.clone());
        }
        for (queue, reader) in [
            (&queue_url, "eval-worker"),
            (&dead_letters_url, "eval-worker"),
            (&metrics_url, "rollup"),
            (&webhooks_url, "notify"),
        ] {
            fleet.poll(queue, reader, clients.clone());
        }
        fleet.invoke("steer", json!({})).await.expect("steer makes the first signing key");
        fleet
    }

    /// Where the gateway listens: a URL without a trailing slash.
    pub fn url(&self) -> String {
        self.front.as_ref().map(HttpFront::url).unwrap_or_default()
    }

    /// A further set of processes of a function, which the gateway knows nothing of, with `variables` of its own.
    pub fn another(&self, name: &str, variables: &[(&str, &str)]) -> Function {
        self.start_program(name, bootstrap(name, self.settings.profile), variables)
    }

    /// The same, with a program of the caller's.
    pub fn start_program(&self, name: &str, program: PathBuf, variables: &[(&str, &str)]) -> Function {
        let own = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Function::start(Settings {
            program,
            name: name.to_owned(),
            environment: self.environment(name).into_iter().chain(own).collect(),
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

    /// Asks for the cases of runs that stood still for so long to be sent again, as `steer` does after two minutes.
    pub async fn sweep_runs(&self, stuck_after: Duration) -> usize {
        let aws = connect(self.engines.endpoints()).await;
        let registry = registry(&aws);
        Box::pin(registry.sweep_runs(stuck_after)).await.expect("the runs can be swept")
    }

    /// What the environment of a function says when it lies in the private network.
    pub fn private_network(&self) -> [(&'static str, &str); 3] {
        ["HTTP_PROXY", "HTTPS_PROXY", "AWS_ENDPOINT_URL_SQS"].map(|name| (name, self.outside.url.as_str()))
    }

    /// How often functions of the private network called anything that it does not lead to.
    pub fn calls_outside(&self) -> usize {
        self.outside.calls.load(Ordering::Relaxed)
    }

    fn environment(&self, function: &str) -> Vec<(String, String)> {
        let (names, endpoints) = (names(), self.engines.endpoints());
        let private = PRIVATE.contains(&function);
        let cache =
            self.settings.cache.iter().filter(|_| private).map(|(name, value)| (*name, value.as_str()));
        let given = [
            (name::REGISTRY_TABLE, names.registry.as_str()),
            (name::TELEMETRY_TABLE, &names.telemetry),
            (name::BUCKET, &names.bucket),
            (name::ARCHIVE_BUCKET, names.archive.as_deref().unwrap_or_default()),
            (name::EVAL_QUEUE_URL, &self.queue_url),
            (name::METRICS_QUEUE_URL, &self.metrics_url),
            (name::WEBHOOKS_QUEUE_URL, &self.webhooks_url),
            (name::MODELS_ON_LOOPBACK, "true"),
            // Whatever else the SDK might call, and whatever else speaks HTTP.
            ("AWS_ENDPOINT_URL", &self.outside.url),
            ("NO_PROXY", "127.0.0.1"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &endpoints.dynamodb),
            ("AWS_ENDPOINT_URL_S3", &endpoints.s3),
            ("AWS_ENDPOINT_URL_SQS", &endpoints.sqs),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ];
        let network = private.then(|| self.private_network()).into_iter().flatten();
        let given = given.into_iter().chain(cache).chain(network).filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn follow_stream(&mut self, consumer: &'static str, clients: Clients) {
        let source = StreamSource::new(&names().registry, consumer, self.folder.path());
        let function = self.function(consumer).clone();
        self.pumps.spawn(async move {
            let handle = move |event: Event| pass(function.clone(), event);
            source.run(&clients.streams, std::future::pending(), handle).await;
        });
    }

    fn poll(&mut self, queue_url: &str, reader: &str, clients: Clients) {
        let source = QueueSource { visibility: Duration::from_secs(5), ..QueueSource::new(queue_url) };
        let function = self.function(reader).clone();
        self.pumps.spawn(async move {
            let handle = move |event: SqsEvent| pass(function.clone(), event);
            source.run(&clients.sqs, std::future::pending(), handle).await;
        });
    }
}

impl Drop for Fleet {
    /// Adds what the programs wrote to the log of the test, which is held against its secrets.
    fn drop(&mut self) {
        for function in self.functions.values() {
            also_logged(&function.take_lines());
        }
    }
}

/// The world beyond the private network: it counts who calls.
struct Outside {
    url: String,
    calls: Arc<AtomicUsize>,
    _listening: JoinSet<()>,
}

impl Outside {
    async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let calls = Arc::new(AtomicUsize::new(0));
        let (counted, mut listening) = (Arc::clone(&calls), JoinSet::new());
        listening.spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { url, calls, _listening: listening }
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

/// What a deployment does once: tables, buckets, and the first admin.
async fn install(aws: &Aws, clients: &Clients) {
    create(aws, clients).await;
    let admin = PresentedKey::parse(ADMIN).expect("the admin's key is one");
    registry(aws).ensure_admin_key(&admin).await.expect("the admin's key is made");
}

/// The use cases as functions have them.
fn registry(aws: &Aws) -> Registry {
    let models = Models::new(models::Settings::of_reader().on(None, true)).expect("no models");
    Registry::new(aws.store(names()), None, runtime::sources::system(), models)
}

/// Which function has the route of a path, as template.yaml says it.
pub fn function_of(path: &str) -> &'static str {
    match path {
        "/api/metrics" => "ingest",
        "/api/try" | "/console/try" => "try",
        path if ["/console", "/docs"].iter().any(|at| path == *at || path.starts_with(&format!("{at}/"))) => {
            "console"
        }
        path if path.starts_with("/api/resolve") || path.starts_with("/ofrep/") => "resolve",
        _ => "authoring",
    }
}
