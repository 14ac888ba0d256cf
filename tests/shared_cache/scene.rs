//! What the tests of the cache start from: a prompt that is live, a cache that knows of it, and a second process.

use std::{sync::Arc, time::Duration};

use cache::{RemoteKey, RemoteSettings};
use domain::{PromptId, key::PresentedKey, name::production};
use e2e::{Answer, Call, Process, World, WorldSettings, cache_program, text};
use redis::{AsyncCommands as _, aio::MultiplexedConnection};
use serde_json::{Value, json};
use store::keys::Key;
use testkit::{
    TestClock,
    cache_server::CacheServer,
    fault::{Fault, Rule},
    tcp_proxy::TcpProxy,
};
use tokio::task::JoinHandle;

pub const MS: Duration = Duration::from_millis(1);

/// A platform with a prompt `greeter` of the team `support` that says «one» in production, and all of it in the cache.
pub struct Scene {
    pub world: World,
    pub server: CacheServer,
    /// Between the first process, which makes every change, and the cache.
    pub way: TcpProxy,
    /// Of an application of the team.
    pub key: String,
    pub prompt: Value,
}

/// What a process answers: where it has it from, its age in ms, and the text.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    source: String,
    age: u64,
    text: String,
}

pub fn seen(source: &str, age: u64, text: &str) -> Seen {
    Seen { source: source.to_owned(), age, text: text.to_owned() }
}

impl Scene {
    pub async fn start() -> Self {
        let server = CacheServer::start(&cache_program()).await.unwrap();
        Self::over(server, false).await
    }

    pub async fn start_cluster() -> Self {
        let server = CacheServer::start_cluster(&cache_program()).await.unwrap();
        Self::over(server, true).await
    }

    async fn over(server: CacheServer, cluster: bool) -> Self {
        let way = TcpProxy::start(server.address()).unwrap();
        // A cluster says itself where its nodes are: no way leads around.
        let url = if cluster { server.url() } else { format!("redis://{}", way.address()) };
        let cache = Some(RemoteSettings { cluster, ..RemoteSettings::node(url) });
        let world = World::with(WorldSettings { cache, ..WorldSettings::default() }).await;
        let key = world.key("support", "resolver").await;
        let prompt = world.prompt("support", "greeter", &json!({})).await;
        let scene = Self { world, server, way, key, prompt };
        scene.move_to("one").await;
        assert_eq!(scene.see(&scene.world.process).await, seen("memory", 0, "one"));
        scene
    }

    /// Another process, with a way of its own to the cache.
    pub async fn process(&self) -> Process {
        self.process_at(self.server.url()).await
    }

    /// Another process, which finds the cache at this address.
    pub async fn process_at(&self, url: String) -> Process {
        let sources = &self.world.registry().sources;
        self.world.another_process_with(Some(&RemoteSettings::node(url)), sources).await
    }

    /// Another process with a clock of its own, which says the same.
    pub async fn process_apart(&self) -> (Process, Arc<TestClock>) {
        let (sources, clock) = testkit::sources(2);
        clock.set_wall(self.world.registry().sources.now());
        let cache = RemoteSettings::node(self.server.url());
        (self.world.another_process_with(Some(&cache), &sources).await, clock)
    }

    /// A new version of the prompt.
    pub async fn version(&self, template: &str) -> Value {
        self.world.version(&self.prompt, &json!({ "template_text": template })).await
    }

    /// Makes a new version and promotes it to production.
    pub async fn move_to(&self, template: &str) -> Value {
        let version = self.version(template).await;
        self.world.promote(&self.prompt, &version, "production").await.expect(200)
    }

    /// Asks a process for what is live in production.
    pub async fn ask(&self, process: &Process) -> Answer {
        resolve("greeter").key(&self.key).send(&process.router).await
    }

    /// What a process answers, which has to be an answer.
    pub async fn see(&self, process: &Process) -> Seen {
        seen_in(&self.ask(process).await)
    }

    /// A process that has just started asks, while the cache has nothing, and the table's answer to its read of the
    /// ref is held until the rule ends.
    pub async fn late_reader(&self) -> (JoinHandle<Seen>, Arc<Rule>) {
        self.server.flush().await.unwrap();
        let late = self.on_read(Fault::Hold, |key| matches!(key, Key::Ref(..)), 1);
        (self.held_reader(&late).await, late)
    }

    /// A process that has just started asks, and has been held by this rule when this returns.
    pub async fn held_reader(&self, late: &Rule) -> JoinHandle<Seen> {
        let process = self.process().await;
        let call = resolve("greeter").key(&self.key);
        let mut reading = tokio::spawn(async move { seen_in(&call.send(&process.router).await) });
        tokio::select! {
            () = late.has_held(1) => reading,
            seen = &mut reading => panic!("it was not held: {seen:?}"),
        }
    }

    /// What a process sees that has just started, without the table.
    pub async fn cache_says(&self) -> Seen {
        let process = self.process().await;
        let failing = self.reads_fail();
        let seen = self.see(&process).await;
        failing.end();
        seen
    }

    /// Lets every read of an item fail from now on. What signs an answer is not read so.
    pub fn reads_fail(&self) -> Arc<Rule> {
        self.world.faults().add(Rule::on("GetItem", failure()))
    }

    /// Lets every call to the tables fail from now on.
    pub fn tables_fail(&self) -> Arc<Rule> {
        self.world.faults().add(Rule::all(failure()))
    }

    /// What happens to reads of these items from now on.
    pub fn on_read(&self, fault: Fault, of: fn(&Key) -> bool, times: u64) -> Arc<Rule> {
        let rule = Rule::on("GetItem", fault).times(times).when(move |body| {
            let attribute = |name: &str| body["Key"][name]["S"].as_str().map(str::to_owned);
            Key::of_item(attribute).is_some_and(|key| of(&key))
        });
        self.world.faults().add(rule)
    }

    pub fn advance(&self, time: Duration) {
        self.world.clock.advance(time);
    }

    /// A connection to the cache, past everything of ours.
    pub async fn redis(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.server.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Lets the cache count its commands from now on.
    pub async fn count_commands(&self) {
        let () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(&mut self.redis().await).await.unwrap();
    }

    /// How often the cache was sent which command, as it says it.
    pub async fn commands(&self) -> String {
        redis::cmd("INFO").arg("commandstats").query_async(&mut self.redis().await).await.unwrap()
    }

    /// How often it was asked for a value.
    pub async fn gets(&self) -> u64 {
        let commands = self.commands().await;
        let gets = commands.split_once("cmdstat_get:calls=").and_then(|(_, counts)| counts.split_once(','));
        gets.map_or(0, |(gets, _)| gets.parse().unwrap())
    }

    /// The key of the ref in the cache.
    pub fn ref_key(&self) -> String {
        RemoteKey::Ref(self.prompt_id(), production()).to_string()
    }

    /// The key of a version in the cache.
    pub fn version_key(&self, number: u32) -> String {
        RemoteKey::Version(self.prompt_id(), number).to_string()
    }

    /// The keys of all that an answer needs.
    pub fn keys(&self) -> [String; 4] {
        let name = RemoteKey::Name("support".parse().unwrap(), "greeter".to_owned());
        let api_key = RemoteKey::ApiKey(PresentedKey::parse(&self.key).unwrap().id.to_owned());
        [api_key.to_string(), name.to_string(), self.ref_key(), self.version_key(1)]
    }

    /// Whether the cache has a key.
    pub async fn has(&self, key: &str) -> bool {
        self.redis().await.exists(key).await.unwrap()
    }

    pub fn prompt_id(&self) -> PromptId {
        text(&self.prompt["prompt_id"]).parse().unwrap()
    }

    /// The address of the prompt in the API.
    pub fn path(&self) -> String {
        format!("/api/prompts/{}", text(&self.prompt["prompt_id"]))
    }
}

pub fn resolve(name: &str) -> Call {
    Call::get(format!("/api/resolve?prompt={name}"))
}

#[track_caller]
pub fn seen_in(answer: &Answer) -> Seen {
    let body = answer.expect(200);
    let age = answer.header("cuecard-age-ms").parse().unwrap();
    seen(answer.header("cuecard-source"), age, text(&body["resolved_text"]))
}

/// A failure that is not worth a second try.
pub fn failure() -> Fault {
    Fault::Exception("AccessDeniedException")
}
