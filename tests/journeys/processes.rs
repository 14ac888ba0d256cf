//! Processes of resolve that took no part in a change: when they see it, and what they do when left alone.

use std::time::Duration;

use e2e::{Answer, Call, FleetSettings, cache_program};
use runtime::configuration::name::CACHE_URL;
use serde_json::json;
use testkit::{
    cache_server::CacheServer,
    runtime_api::HttpFront,
    tcp_proxy::{Behaviour, TcpProxy},
};
use tokio::time::{Instant, sleep};

use crate::lambda::Lambda;

/// How long after its answer a change may stay unseen, whatever fails.
const BOUND: Duration = Duration::from_secs(5);

struct Scene {
    lambda: Lambda,
    _cache: CacheServer,
    /// Between whoever makes changes and the cache.
    of_movers: TcpProxy,
    /// Between the processes of resolve and the cache.
    of_readers: TcpProxy,
    /// Between the processes of resolve and the tables.
    to_tables: TcpProxy,
}

/// One process of resolve.
pub(crate) struct Reader(HttpFront);

impl Scene {
    async fn start() -> Self {
        let cache = CacheServer::start(&cache_program()).await.unwrap();
        let of_movers = TcpProxy::start(cache.address()).unwrap();
        let of_readers = TcpProxy::start(cache.address()).unwrap();
        let settings = FleetSettings {
            sandboxes: 1,
            cache: vec![(CACHE_URL, format!("redis://{}", of_movers.address()))],
            ..FleetSettings::default()
        };
        let lambda = Lambda::start(settings).await;
        let tables = &lambda.fleet.engines.endpoints().dynamodb;
        let to_tables = TcpProxy::start(tables.trim_start_matches("http://")).unwrap();
        Self { lambda, _cache: cache, of_movers, of_readers, to_tables }
    }

    fn reader(&self) -> Reader {
        let cache = format!("redis://{}", self.of_readers.address());
        let tables = format!("http://{}", self.to_tables.address());
        let variables = [(CACHE_URL, cache.as_str()), ("AWS_ENDPOINT_URL_DYNAMODB", &tables)];
        Reader::of(&self.lambda, &variables)
    }
}

impl Reader {
    pub(crate) fn of(lambda: &Lambda, variables: &[(&str, &str)]) -> Self {
        let function = std::sync::Arc::new(lambda.fleet.another("resolve", variables));
        Self(HttpFront::start(move |_, _| Some(function.clone())).unwrap())
    }

    pub(crate) async fn resolve(&self, key: &str, prompt: &str) -> Answer {
        Call::get(format!("/api/resolve/{prompt}")).key(key).send_to(&self.0.url()).await
    }

    /// Asks until the answer is as wanted; fails when it is not within the bound.
    async fn comes_to(&self, key: &str, prompt: &str, wanted: impl Fn(&Answer) -> bool) {
        let deadline = Instant::now() + BOUND;
        loop {
            let asked = Instant::now();
            let answer = self.resolve(key, prompt).await;
            if wanted(&answer) {
                return;
            }
            assert!(asked < deadline, "not within {BOUND:?}: {answer:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

pub(crate) fn source(answer: &Answer) -> &str {
    answer.headers.get("cuecard-source").map_or("", |source| source.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_processes_see_a_revoked_key_a_new_name_and_an_archived_prompt_within_the_bound() {
    for mover in [Behaviour::Pass, Behaviour::Refuse] {
        let scene = Scene::start().await;
        let (prompt, [version, _]) = scene.lambda.prompt("greeter").await;
        scene.lambda.promote(&prompt, &version).await;
        let (revoked, id) = scene.lambda.resolver().await;
        let (key, _) = scene.lambda.resolver().await;
        let readers = [scene.reader(), scene.reader(), scene.reader()];
        for reader in &readers {
            assert_eq!(reader.resolve(&revoked, "greeter").await.expect(200)["resolved_text"], "one");
        }
        scene.of_movers.set(mover);

        scene.lambda.admin(Call::delete(format!("/api/keys/{id}"))).await.expect(200);
        for reader in &readers {
            reader.comes_to(&revoked, "greeter", |answer| answer.status == 401).await;
        }
        let rename = Call::patch(format!("/api/prompts/{prompt}"), &json!({ "name": "welcomer" }));
        scene.lambda.admin(rename).await.expect(200);
        for reader in &readers {
            for name in ["welcomer", "greeter"] {
                let renamed = |answer: &Answer| answer.status == 200 && answer.json()["name"] == "welcomer";
                reader.comes_to(&key, name, renamed).await;
            }
        }
        scene.lambda.admin(Call::delete(format!("/api/prompts/{prompt}"))).await.expect(200);
        for reader in &readers {
            reader.comes_to(&key, "welcomer", |answer| answer.status == 410).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_cache_and_tables_a_process_serves_what_it_knows_and_heals_by_itself() {
    for fault in [Behaviour::Refuse, Behaviour::Blackhole] {
        let scene = Scene::start().await;
        let (prompt, [version, _]) = scene.lambda.prompt("greeter").await;
        scene.lambda.promote(&prompt, &version).await;
        let (key, _) = scene.lambda.resolver().await;
        let knows = scene.reader();
        knows.resolve(&key, "greeter").await.expect(200);
        scene.of_readers.set(fault);
        scene.to_tables.set(fault);
        let knows_nothing = scene.reader();
        knows.comes_to(&key, "greeter", |answer| answer.status == 200 && source(answer) == "stale").await;
        knows_nothing.resolve(&key, "greeter").await.refused(503, "unavailable");

        scene.of_readers.set(Behaviour::Pass);
        scene.to_tables.set(Behaviour::Pass);
        for reader in [&knows, &knows_nothing] {
            let healed = |answer: &Answer| answer.status == 200 && source(answer) != "stale";
            reader.comes_to(&key, "greeter", healed).await;
        }
    }
}
