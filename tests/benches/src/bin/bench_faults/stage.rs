//! The platform that meets a fault.

use std::{
    future::pending,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use aws_lambda_events::event::{dynamodb::Event, sqs::SqsEvent};
use benches::Outcome;
use cache::RemoteSettings;
use e2e::{ADMIN, Answer, Call, Dice, Process, World, WorldSettings, text};
use serde_json::json;
use testkit::{
    cache_server::CacheServer,
    event_source::{QueueSource, StreamSource},
    fault::Rule,
    tcp_proxy::TcpProxy,
};
use tokio::{task::JoinSet, time::Instant};

use crate::{
    Args,
    hands::Hands,
    instances::{Instances, Skewed},
    moves::{Ledger, Prompt},
};

/// How many instances of resolve there are.
const INSTANCES: usize = 3;
/// How many prompts there are.
const PROMPTS: usize = 12;

/// How often a record of the stream is tried (template.yaml).
const TRIES: u32 = 20;
/// The wait before its second try, after which waits double: it is tried soon after a fault ends.
const BACKOFF: Duration = Duration::from_millis(50);
/// How long a message of the queue stays hidden from others, whatever became of the function that has it.
pub(crate) const HIDDEN: Duration = Duration::from_secs(5);

/// A platform, and the places where it can be broken.
pub(crate) struct Stage {
    /// Its table is behind the proxy of faults for everybody.
    pub(crate) world: Arc<World>,
    pub(crate) cache: CacheServer,
    /// The one that took over, if any.
    pub(crate) other_cache: Option<CacheServer>,
    /// Between everybody and the cache.
    pub(crate) way: Arc<TcpProxy>,
    /// Between that and those who make changes.
    pub(crate) way_of_mover: TcpProxy,
    pub(crate) hands: Arc<Hands>,
    /// Of the instances of resolve, then of the mover and of those whom streams and queues feed.
    pub(crate) clocks: Vec<Arc<Skewed>>,
    pub(crate) instances: Instances,
    pub(crate) maker: Maker,
    pub(crate) desk: Arc<Desk>,
    /// When it was broken; before that, when it was started.
    pub(crate) broke: Instant,
    /// What a fault does all the time.
    pub(crate) meanwhile: JoinSet<Outcome<()>>,
    /// How many values of the cache a fault wrote over.
    pub(crate) scribbled: Arc<AtomicU64>,
    /// What a fault does to calls of the table.
    pub(crate) rules: Vec<Arc<Rule>>,
    cache_program: PathBuf,
    _pumps: JoinSet<()>,
}

/// What makes instances of resolve.
#[derive(Clone)]
pub(crate) struct Maker {
    world: Arc<World>,
    cache_url: String,
    clocks: Vec<Arc<Skewed>>,
}

impl Maker {
    /// A new one for this place.
    pub(crate) async fn resolve(&self, place: usize) -> Process {
        process(&self.world, &self.cache_url, &self.clocks[place]).await
    }
}

/// Where people and applications come: what they know, and who serves them.
pub(crate) struct Desk {
    pub(crate) prompts: Vec<Prompt>,
    /// Which version was live when.
    pub(crate) ledger: Ledger,
    /// A resolver's key.
    pub(crate) key: String,
    mover: Process,
    hands: Arc<Hands>,
}

impl Desk {
    /// Asks `authoring` or `ingest`; `None` where the function was killed meanwhile.
    pub(crate) async fn ask(&self, call: Call) -> Option<Answer> {
        self.hands.work(call.send(&self.mover.router)).await
    }

    /// Asks as the admin, when nothing is broken.
    pub(crate) async fn admin(&self, path: String) -> Answer {
        Call::get(path).key(ADMIN).send(&self.mover.router).await
    }
}

impl Stage {
    /// Starts it, with prompts each of whose versions was live.
    pub(crate) async fn start(args: &Args) -> Outcome<Self> {
        let cache = CacheServer::start(&args.cache_program).await?;
        let way = Arc::new(TcpProxy::start(cache.address())?);
        let way_of_mover = TcpProxy::start(way.address())?;
        let world = Arc::new(Box::pin(World::with(WorldSettings::default())).await);
        world.clock.set_wall(runtime::sources::system().now());
        world.steer(Duration::from_mins(1)).await;
        let (prompts, ledger) = filled(&world).await;
        let key = world.key("bench", "resolver").await;
        let clocks: Vec<_> = (0..INSTANCES + 2).map(|_| Skewed::new()).collect();
        let url = |proxy: &TcpProxy| format!("redis://{}", proxy.address());
        let maker = Maker { world: world.clone(), cache_url: url(&way), clocks: clocks.clone() };
        let mut processes = Vec::new();
        for place in 0..INSTANCES {
            processes.push(maker.resolve(place).await);
        }
        let mover = process(&world, &url(&way_of_mover), &clocks[INSTANCES]).await;
        let fed = process(&world, &url(&way), &clocks[INSTANCES + 1]).await;
        let hands = Arc::new(Hands::new(Dice::new(args.seed)));
        Ok(Self {
            instances: Instances::new(processes),
            desk: Arc::new(Desk { prompts, ledger, key, mover, hands: hands.clone() }),
            broke: Instant::now(),
            meanwhile: JoinSet::new(),
            scribbled: Arc::default(),
            rules: Vec::new(),
            cache_program: args.cache_program.clone(),
            _pumps: pumps(&world, &fed, &hands),
            world,
            cache,
            other_cache: None,
            way,
            way_of_mover,
            hands,
            clocks,
            maker,
        })
    }

    /// Ends what the fault does all the time; an error where that ended by itself in one.
    pub(crate) async fn rest(&mut self) -> Outcome<()> {
        self.meanwhile.abort_all();
        while let Some(ended) = self.meanwhile.join_next().await {
            match ended {
                Err(error) if error.is_cancelled() => {}
                ended => ended??,
            }
        }
        Ok(())
    }

    /// Another cache server, of which nobody knows.
    pub(crate) async fn another_cache(&self) -> Outcome<CacheServer> {
        Ok(CacheServer::start(&self.cache_program).await?)
    }
}

async fn process(world: &World, cache_url: &str, clock: &Arc<Skewed>) -> Process {
    let cache = RemoteSettings::node(cache_url);
    Box::pin(world.another_process_with(Some(&cache), &clock.sources())).await
}

/// Feeds `propagate` from the stream, and `rollup` from the queue.
fn pumps(world: &World, fed: &Process, hands: &Arc<Hands>) -> JoinSet<()> {
    let mut pumps = JoinSet::new();
    // Past no fault of the table.
    let store = fed.release.registry.store.clone();
    let app = propagate::App { store, ..world.propagate(fed, true) };
    let checkpoint = world.stream.checkpoint.with_file_name("propagate.json");
    let source = StreamSource {
        consumer: "propagate".to_owned(),
        checkpoint,
        attempts: TRIES,
        backoff: BACKOFF,
        ..world.stream.clone()
    };
    let (streams, own) = (world.clients.streams.clone(), hands.clone());
    pumps.spawn(async move {
        let handle = move |event: Event| {
            let (app, hands) = (app.clone(), own.clone());
            async move { hands.propagate(event, app).await }
        };
        source.run(&streams, pending(), handle).await;
    });
    let (app, source) = (fed.rollup(), QueueSource { visibility: HIDDEN, ..world.metrics_source() });
    let (sqs, own) = (world.clients.sqs.clone(), hands.clone());
    pumps.spawn(async move {
        let handle = move |event: SqsEvent| {
            let (app, hands) = (app.clone(), own.clone());
            async move { hands.rollup(event, app).await }
        };
        source.run(&sqs, pending(), handle).await;
    });
    pumps
}

async fn filled(world: &World) -> (Vec<Prompt>, Ledger) {
    let (mut prompts, mut revisions) = (Vec::new(), Vec::new());
    for number in 0..PROMPTS {
        let prompt = world.prompt("bench", &format!("prompt-{number}"), &json!({})).await;
        let mut filled = Prompt::new(number, text(&prompt["prompt_id"]));
        let mut live = Vec::new();
        for _ in 0..Prompt::VERSIONS {
            let template = json!({ "template_text": filled.template(filled.versions.len()) });
            let version = world.version(&prompt, &template).await;
            let moved = world.promote(&prompt, &version, "production").await.expect(200);
            live.push(moved["revision"].as_u64().unwrap_or_default());
            filled.versions.push(text(&version["version_id"]).to_owned());
        }
        prompts.push(filled);
        revisions.push(live);
    }
    (prompts, Ledger::begin(&revisions))
}
