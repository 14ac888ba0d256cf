//! A real server that our code asks as the cache's user on AWS: what it refuses, and what it does not refuse.
//!
//! The server is older than the one on AWS. It knows no `CLIENT SETINFO`, whose refusal our client passes over.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use cache::{Cache, Credentials, ReadAt, Remote, RemoteSettings, Source};
use domain::{ApiKey, Caller, Environment, PromptId, STAGING, TeamId, TeamScope, key::PresentedKey};
use e2e::{World, cache_program};
use redis::{Client, RedisResult, Value, aio::MultiplexedConnection};
use testkit::cache_server::CacheServer;

/// The name of the user. The password on AWS is a token that IAM checks; here any will do.
const USER: &str = "app";

/// What no process of ours asks for: to empty the cache, to list it, to look at its settings, to speak to who listens,
/// and to read keys that are not ours.
const NEEDLESS: [&[&str]; 5] = [
    &["FLUSHALL"],
    &["KEYS", "*"],
    &["CONFIG", "GET", "maxmemory"],
    &["PUBLISH", "news", "hello"],
    &["GET", "others"],
];

/// What a client asks for by itself, and does without.
const DISPENSABLE: &str = "client";

/// A reader does not wait long, and a machine may be busy.
const TRIES: usize = 5;

/// The server, and what our processes put there.
pub(crate) struct Cached {
    server: CacheServer,
    world: World,
    team: TeamId,
    name: String,
    prompt: PromptId,
    environment: Environment,
    key: ApiKey,
}

impl Cached {
    /// Starts it for a platform on which a prompt of the team is live in staging.
    pub(crate) async fn start(world: World, team: &str, name: &str) -> Self {
        let server = CacheServer::start_cluster(&cache_program()).await.unwrap();
        let secret = world.key(team, "resolver").await;
        let store = &world.registry().store;
        let key = store.api_key(PresentedKey::parse(&secret).unwrap().id).await.unwrap().unwrap();
        let team: TeamId = team.parse().unwrap();
        let prompt = store.prompt_named(&team, name).await.unwrap().unwrap();
        let (name, environment) = (name.to_owned(), STAGING.parse().unwrap());
        Self { server, world, team, name, prompt, environment, key }
    }

    /// What is wrong with the rights of a user.
    pub(crate) async fn wrong_with(&self, access: &str) -> BTreeSet<String> {
        let mut redis = self.connect("").await.unwrap();
        if let Err(error) = admit(&mut redis, access).await {
            return BTreeSet::from([format!("its AccessString does not read: {error}")]);
        }
        let mut wrong = BTreeSet::new();
        let mut shared = false;
        for _ in 0..TRIES {
            if shared || !wrong.is_empty() {
                break;
            }
            self.put().await;
            shared = self.source().await == Source::Cache;
            wrong = refused(&mut redis).await;
        }
        if wrong.is_empty() && !shared {
            wrong.insert("what a process puts into the cache is not found there by another".to_owned());
        }
        if let Ok(mut redis) = self.connect(&format!("{USER}:any@")).await {
            for command in NEEDLESS {
                let asked = redis::cmd(command[0]).arg(&command[1..]).query_async::<Value>(&mut redis).await;
                if asked.is_ok() {
                    wrong.insert(format!("it may {}, which nobody needs", command.join(" ")));
                }
            }
        }
        wrong
    }

    /// Puts one of each kind that there is, as who has just written it.
    async fn put(&self) {
        let cache = self.process();
        let read_at = ReadAt::now(&self.world.registry().sources);
        let store = &self.world.registry().store;
        let reference = store.reference(self.prompt, &self.environment).await.unwrap().unwrap();
        cache.publish_ref(&reference, read_at).await;
        cache.publish_key(&self.key, read_at).await;
        cache.publish_name(&self.team, &self.name, self.prompt).await;
    }

    /// Reads all of it in another process. Returns where that has from what is live.
    async fn source(&self) -> Source {
        let cache = self.process();
        let caller =
            Caller { scope: TeamScope::Team(self.team.clone()), ..Caller::system("somebody of the team") };
        cache.api_key(&self.key.id).await.unwrap();
        assert_eq!(cache.locate(&caller, &self.name).await.unwrap(), self.prompt);
        cache.pair(self.prompt, &self.environment).await.unwrap().source
    }

    /// The memory of a process that has just started, over the cache as it is on AWS but for TLS.
    fn process(&self) -> Cache {
        let credentials = Credentials { user: USER.to_owned(), password: "any".to_owned() };
        let login = Arc::new(move || {
            let credentials = credentials.clone();
            Box::pin(async move { Ok(credentials) }) as _
        });
        let settings = RemoteSettings { url: self.server.url(), cluster: true, login: Some(login) };
        let registry = self.world.registry();
        let remote = Remote::new(settings, registry.sources.clone()).unwrap();
        Cache::new(registry.store.clone(), Some(remote), registry.sources.clone())
    }

    async fn connect(&self, login: &str) -> RedisResult<MultiplexedConnection> {
        let client = Client::open(format!("redis://{login}{}", self.server.address()))?;
        client.get_multiplexed_async_connection().await
    }
}

/// Gives the user these rights over an empty cache.
async fn admit(redis: &mut MultiplexedConnection, access: &str) -> RedisResult<()> {
    redis::cmd("FLUSHALL").exec_async(redis).await?;
    let rights: Vec<_> = access.split_whitespace().collect();
    let set =
        redis::cmd("ACL").arg(&["SETUSER", USER, "reset", "nopass"]).arg(rights).exec_async(redis).await;
    redis::cmd("ACL").arg(&["LOG", "RESET"]).exec_async(redis).await?;
    set
}

/// What the server refused to the user.
async fn refused(redis: &mut MultiplexedConnection) -> BTreeSet<String> {
    let log: Vec<HashMap<String, String>> = redis::cmd("ACL").arg("LOG").query_async(redis).await.unwrap();
    let asked = log.into_iter().filter(|entry| entry["username"] == USER);
    let said = asked.filter_map(|entry| match (entry["reason"].as_str(), entry["object"].as_str()) {
        ("auth", _) => Some("it may not come in".to_owned()),
        ("key", _) => Some("it may not have our keys".to_owned()),
        (_, DISPENSABLE) => None,
        (_, command) => Some(format!("it may not {command}, which our cache asks for")),
    });
    said.collect()
}
