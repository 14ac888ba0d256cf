//! A resolver in the caller's own process, beside a platform that it reaches over HTTP, and that may be away.

mod equality;
mod files;
mod outages;
mod pages;
mod reports;

use std::time::Duration;

use client::{
    Client, Settings,
    resolver::{Options, Resolver},
};
use domain::{allocation::Unit, template::Values};
use serde_json::{Value, json};
use testkit::tcp_proxy::{Behaviour, TcpProxy};
use tokio::{net::TcpListener, task::JoinSet};

use crate::scene::Scene;

/// As long as a process that took part in no move may serve what was live before it.
const SEEN_BY_ALL: Duration = Duration::from_millis(751);

/// A platform with a process of its own for the resolver: it takes part in no move.
pub struct Beside {
    pub scene: Scene,
    way: TcpProxy,
    _serving: JoinSet<()>,
}

/// What a resolver is told that looks at the platform when the test says so.
pub fn by_hand() -> Options {
    let never = Duration::from_hours(1000);
    Options { every: never, report_every: never, ..Options::default() }
}

impl Beside {
    pub async fn start() -> Self {
        let scene = Scene::start().await;
        let router = scene.world.another_process().await.router;
        Self::over(scene, router).await
    }

    /// The same, with a process of the caller's.
    pub async fn over(scene: Scene, router: axum::Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = TcpProxy::start(listener.local_addr().unwrap()).unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { scene, way, _serving: serving }
    }

    /// Takes the platform away, or brings it back.
    pub fn is_away(&self, away: bool) {
        self.way.set(if away { Behaviour::Refuse } else { Behaviour::Pass });
    }

    /// A client with this key, whose clock is the test's.
    pub fn client(&self, key: &str) -> Client {
        let settings = Settings {
            url: format!("http://{}", self.way.address()),
            api_key: Some(key.to_owned()),
            ..Settings::default()
        };
        Client::new(settings, self.scene.world.registry().sources.clone()).unwrap()
    }

    /// A resolver of the application.
    pub async fn resolver(&self, options: Options) -> client::Result<Resolver> {
        Resolver::start(self.client(&self.scene.key), options).await
    }

    /// A prompt of two versions, `one` and `two`, of which the second is live.
    pub async fn moved(&self) -> Value {
        let prompt = self.scene.live("moved", r#"{"template_text": "one"}"#).await;
        let two = self.scene.version(&prompt, r#"{"template_text": "two"}"#).await;
        self.scene.world.promote(&prompt, &two, "production").await.expect(200);
        self.scene.world.clock.advance(SEEN_BY_ALL);
        prompt
    }
}

/// The text of `moved`.
pub fn text(resolver: &Resolver) -> String {
    let answer = resolver.resolve("moved", &Unit::NOBODY, &Values::default()).unwrap();
    answer.rendered.text.unwrap()
}

/// A rollback as the admin, seen by all processes of the platform.
pub async fn roll_back(beside: &Beside, prompt: &Value) {
    beside.scene.world.roll_back(prompt, "production").await.expect(200);
    beside.scene.world.clock.advance(SEEN_BY_ALL);
}

/// Variables with a name.
pub fn ada() -> Values {
    Values::parse(&json!({ "name": "Ada" }).to_string()).unwrap()
}
