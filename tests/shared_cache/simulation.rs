//! Moves, losses and failures of the cache in random order: whatever happens, no answer is too old.

use domain::{Entropy as _, Timestamp};
use e2e::Process;
use serde_json::Value;
use testkit::{
    sources::SeededEntropy,
    tcp_proxy::{Behaviour, TcpProxy},
};

use crate::scene::{MS, Scene};

const STEPS: usize = 300;

/// How old anything may be in all, in ms.
const WORST: u64 = 4000;

struct Simulation {
    scene: Scene,
    ways: Vec<TcpProxy>,
    readers: Vec<Process>,
    entropy: SeededEntropy,
    /// The versions that take turns.
    versions: [Value; 2],
    /// When each revision was live first.
    since: Vec<(u64, Timestamp)>,
}

impl Simulation {
    async fn start(seed: u64) -> Self {
        let scene = Scene::start().await;
        let versions = [scene.version("two").await, scene.version("three").await];
        let (mut ways, mut readers) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let way = TcpProxy::start(scene.server.address()).unwrap();
            readers.push(scene.process_at(format!("redis://{}", way.address())).await);
            ways.push(way);
        }
        let since = vec![(1, scene.world.registry().sources.now())];
        Self { scene, ways, readers, entropy: SeededEntropy::new(seed), versions, since }
    }

    /// A number below `end`.
    fn draw(&self, end: u8) -> usize {
        let mut byte = [0];
        self.entropy.fill(&mut byte);
        usize::from(byte[0] % end)
    }

    async fn step(&mut self) {
        let way = [&self.scene.way, &self.ways[0], &self.ways[1], &self.ways[2]][self.draw(4)];
        match self.draw(10) {
            0 => self.move_on().await,
            1 => self.scene.server.flush().await.unwrap(),
            2 => way.set(Behaviour::Refuse),
            3 => way.cut(),
            4 | 5 => way.set(Behaviour::Pass),
            _ => {}
        }
        self.scene.advance(MS * u32::try_from(self.draw(250) * 6).unwrap());
        self.read().await;
    }

    async fn move_on(&mut self) {
        let version = &self.versions[self.since.len() % 2];
        let moved = self.scene.world.promote(&self.scene.prompt, version, "production").await;
        let revision = moved.expect(200)["revision"].as_u64().unwrap();
        self.since.push((revision, self.scene.world.registry().sources.now()));
    }

    async fn read(&self) {
        let reader = &self.readers[self.draw(3)];
        let answer = self.scene.ask(reader).await;
        answer.expect(200);
        let [revision, age] = ["cuecard-revision", "cuecard-age-ms"].map(|name| answer.header(name));
        let (revision, age): (u64, u64) = (revision.parse().unwrap(), age.parse().unwrap());
        let now = self.scene.world.registry().sources.now();
        let next = self.since.iter().find(|(other, _)| *other > revision);
        let overtaken = next.map_or(0, |(_, moment)| now.since(*moment).unwrap().as_millis());
        let source = answer.header("cuecard-source");
        assert!(
            overtaken <= u128::from(WORST),
            "revision {revision} from {source} was overtaken {overtaken} ms ago"
        );
        assert!(
            age <= WORST && overtaken <= u128::from(age),
            "{source} says {age} ms, but it is {overtaken}"
        );
    }
}

#[tokio::test]
async fn no_answer_is_older_than_4_s_whatever_happens_to_the_cache() {
    for seed in 1..=2 {
        let mut simulation = Simulation::start(seed).await;
        for _ in 0..STEPS {
            simulation.step().await;
        }
    }
}
