//! What processes do while nodes of their cache change places, die and come back: they answer rightly throughout, and
//! find by themselves what the cache has.

use std::{cell::Cell, iter::zip};

use cache::RemoteKey;
use domain::name::production;
use e2e::{Call, FleetSettings};
use serde_json::json;

use crate::{
    cluster::{Cluster, MASTERS, until},
    lambda::Lambda,
    processes::{Reader, source},
};

/// How many prompts are made until each node has one.
const MOST: usize = 100;

/// A process of resolve, which has had something from each node.
struct Scene {
    lambda: Lambda,
    cluster: Cluster,
    reader: Reader,
    key: String,
    /// What is live of each lies on the node of the same place, and says «one».
    prompts: [Prompt; MASTERS],
}

struct Prompt {
    name: String,
    id: String,
    versions: [String; 2],
}

impl Prompt {
    async fn make(lambda: &Lambda, name: String) -> Self {
        let (id, versions) = lambda.prompt(&name).await;
        Self { name, id, versions }
    }

    /// Where what is live in production stands in the cache.
    fn key(&self) -> String {
        RemoteKey::Ref(self.id.parse().unwrap(), production()).to_string()
    }
}

impl Scene {
    async fn start() -> Self {
        let cluster = Cluster::start().await;
        let settings = FleetSettings { sandboxes: 1, cache: cluster.variables(), ..FleetSettings::default() };
        let lambda = Lambda::start(settings).await;
        // Where a prompt lies follows from its id, which is random.
        let mut prompts: [Option<Prompt>; MASTERS] = Default::default();
        let mut made = 0..MOST;
        while prompts.iter().any(Option::is_none) {
            let prompt = Prompt::make(&lambda, format!("greeter-{}", made.next().unwrap())).await;
            let node = Cluster::first_owner(cluster.slot(&prompt.key()).await);
            prompts[node].get_or_insert(prompt);
        }
        let (key, _) = lambda.resolver().await;
        let reader = Reader::of(&lambda, &[]);
        let scene = Self { lambda, cluster, reader, key, prompts: prompts.map(Option::unwrap) };
        for (prompt, node) in zip(&scene.prompts, &scene.cluster.nodes) {
            scene.lambda.promote(&prompt.id, &prompt.versions[0]).await;
            node.has(&prompt.key()).await;
            scene.comes_to(prompt, "one", "cache").await;
        }
        scene
    }

    /// Asks until a prompt says these words, from there. Until then each answer is one, and none says again what was
    /// live before.
    async fn comes_to(&self, prompt: &Prompt, words: &str, from: &str) {
        let said = Cell::new(false);
        let ask = async || {
            let answer = self.reader.resolve(&self.key, &prompt.name).await;
            let says = answer.expect(200)["resolved_text"] == words;
            assert!(says || !said.get(), "it went back from {words}: {answer:?}");
            said.set(says);
            says && source(&answer) == from
        };
        until(&format!("{} says {words} from {from}", prompt.name), ask).await;
    }

    /// Lets «two» go live.
    async fn promote(&self, prompt: &Prompt) {
        self.lambda.promote(&prompt.id, &prompt.versions[1]).await;
    }

    async fn roll_back(&self, prompt: &Prompt) {
        let call = Call::post(
            format!("/api/prompts/{}/rollback", prompt.id),
            &json!({ "environment": "production" }),
        );
        self.lambda.admin(call).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_found_on_its_way_to_another_node_and_there() {
    let scene = Scene::start().await;
    let (prompt, [old, new, other]) = (&scene.prompts[0], [0, 1, 2].map(|place| &scene.cluster.nodes[place]));
    let slot = scene.cluster.slot(&prompt.key()).await;
    let (old_id, new_id) = (old.id().await, new.id().await);
    new.tell(&format!("CLUSTER SETSLOT {slot} IMPORTING {old_id}")).await;
    old.tell(&format!("CLUSTER SETSLOT {slot} MIGRATING {new_id}")).await;
    let keys: Vec<String> = old.ask(&format!("CLUSTER GETKEYSINSLOT {slot} 100")).await;
    // The empty word says that the keys come last.
    let (port, keys) = (new.server.address().port(), keys.join(" "));
    old.tell(&format!("MIGRATE 127.0.0.1 {port}  0 5000 KEYS {keys}")).await;
    scene.comes_to(prompt, "one", "cache").await;
    scene.promote(prompt).await;
    scene.comes_to(prompt, "two", "cache").await;

    for node in [new, old, other] {
        node.tell(&format!("CLUSTER SETSLOT {slot} NODE {new_id}")).await;
    }
    new.has(&prompt.key()).await;
    scene.comes_to(prompt, "two", "cache").await;
    scene.roll_back(prompt).await;
    scene.comes_to(prompt, "one", "cache").await;
    for node in &scene.cluster.nodes {
        let greetings = node.front.greetings.borrow();
        let logs_in = |greeting: &String| greeting.contains("prompts/?Action=connect&User=cuecard&");
        assert!(greetings.iter().any(logs_in), "{greetings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_is_done_without_until_it_is_back() {
    let mut scene = Scene::start().await;
    scene.cluster.nodes[1].server.kill().await.unwrap();
    let [one, lost, other] = &scene.prompts;
    scene.comes_to(lost, "one", "table").await;
    for prompt in [one, other] {
        scene.comes_to(prompt, "one", "cache").await;
    }
    scene.promote(lost).await;
    scene.comes_to(lost, "two", "table").await;

    scene.cluster.nodes[1].server.restart().await.unwrap();
    let lost = &scene.prompts[1];
    scene.comes_to(lost, "two", "cache").await;
    scene.roll_back(lost).await;
    scene.comes_to(lost, "one", "cache").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_takes_over_is_found_and_is_filled_anew() {
    let mut scene = Scene::start().await;
    let replica = scene.cluster.add_replica(2).await;
    scene.cluster.nodes[2].server.kill().await.unwrap();
    scene.cluster.nodes[replica].tell("CLUSTER FAILOVER TAKEOVER").await;
    let prompt = &scene.prompts[2];
    scene.comes_to(prompt, "one", "cache").await;
    scene.promote(prompt).await;
    scene.comes_to(prompt, "two", "cache").await;
    scene.cluster.nodes[replica].has(&prompt.key()).await;

    scene.cluster.nodes[2].server.restart().await.unwrap();
    let follows = async || {
        let nodes: String = scene.cluster.nodes[2].ask("CLUSTER NODES").await;
        nodes.contains("myself,slave")
    };
    until("the old node follows the new one", follows).await;
    scene.comes_to(&scene.prompts[2], "two", "cache").await;
}
