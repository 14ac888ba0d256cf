//! Random histories: one process moves a ref, three resolve it, and time passes unevenly.
//!
//! No answer is older than the bound, none says that it is younger than it is, none mixes a ref with another's
//! version or name, and no process ever goes back.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use cache::FRESH;
use domain::{Clock as _, name::production};
use e2e::{Answer, Call, Process, text};
use futures_util::future::join_all;
use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::scene::{Scene, resolve};

type Outcome = Result<(), TestCaseError>;

/// How many answers of each kind there were: by their source, and those of a race that moved the ref.
type Answers = RefCell<BTreeMap<String, usize>>;

#[derive(Debug, Clone)]
enum Move {
    Promote(usize),
    RollBack,
    Lock,
    Unlock,
    Rename,
    /// Touches the prompt and no ref.
    Describe,
}

#[derive(Debug, Clone)]
enum Step {
    Move(Move),
    /// A move, while all processes resolve.
    Race(Move),
    Resolve(usize),
    /// Lets so many milliseconds pass.
    Pass(u64),
    /// Corrects the wall clock by so many milliseconds.
    Correct(i64),
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0..3_usize).prop_map(Move::Promote),
        3 => Just(Move::RollBack),
        1 => Just(Move::Lock),
        2 => Just(Move::Unlock),
        1 => Just(Move::Rename),
        1 => Just(Move::Describe),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => moves().prop_map(Step::Move),
        1 => moves().prop_map(Step::Race),
        6 => (0..3_usize).prop_map(Step::Resolve),
        4 => prop_oneof![0..1000_u64, 740..760_u64].prop_map(Step::Pass),
        1 => (-2000..2000_i64).prop_map(Step::Correct),
    ]
}

/// What a ref said from some moment on.
#[derive(Debug, PartialEq)]
struct Fact {
    /// On the clock that never jumps.
    since: Duration,
    revision: u64,
    version_id: String,
    name: String,
}

struct History<'a> {
    scene: &'a Scene,
    answers: &'a Answers,
    processes: &'a [Process],
    prompt: Value,
    versions: Vec<Value>,
    facts: Vec<Fact>,
    /// The highest revision that each process has answered with.
    seen: Vec<u64>,
}

impl<'a> History<'a> {
    async fn begin(scene: &'a Scene, processes: &'a [Process], answers: &'a Answers, name: &str) -> Self {
        let prompt = scene.world.prompt("support", name, &json!({})).await;
        let mut versions = Vec::new();
        for text in ["one", "two", "three"] {
            versions.push(scene.world.version(&prompt, &json!({ "template_text": text })).await);
        }
        scene.world.promote(&prompt, &versions[0], "production").await.expect(200);
        let seen = vec![0; processes.len()];
        let mut history = Self { scene, answers, processes, prompt, versions, facts: Vec::new(), seen };
        history.note().await;
        history
    }

    fn now(&self) -> Duration {
        self.scene.world.clock.monotonic()
    }

    /// Notes what the table says, if that is new.
    async fn note(&mut self) {
        let prompt = text(&self.prompt["prompt_id"]).parse().unwrap();
        let reference =
            self.scene.world.registry().store.reference(prompt, &production()).await.unwrap().unwrap();
        if self.facts.last().is_none_or(|fact| fact.revision < reference.revision) {
            let version_id = reference.version_id().unwrap().to_string();
            let name = reference.prompt_name.to_string();
            self.facts.push(Fact { since: self.now(), revision: reference.revision, version_id, name });
        }
    }

    async fn make(&self, what: &Move) {
        let path = format!("/api/prompts/{}", text(&self.prompt["prompt_id"]));
        let lock = format!("{path}/environments/production/lock");
        let world = &self.scene.world;
        // A refusal (a lock, nothing to roll back to) is no move, and moves nothing.
        let answer = match what {
            Move::Promote(version) => {
                world.promote(&self.prompt, &self.versions[*version], "production").await
            }
            Move::RollBack => world.roll_back(&self.prompt, "production").await,
            Move::Lock => world.admin(Call::put(lock, &json!({ "reason": "a test" }))).await,
            Move::Unlock => world.admin(Call::delete(lock)).await,
            Move::Rename => {
                let name = format!("{}-{}", text(&self.prompt["prompt_id"]).to_lowercase(), self.facts.len());
                world.admin(Call::patch(path, &json!({ "name": format!("renamed-{name}") }))).await
            }
            Move::Describe => {
                world.admin(Call::patch(path, &json!({ "description": format!("{:?}", self.now()) }))).await
            }
        };
        assert!([200, 409].contains(&answer.status.as_u16()), "{what:?}: {}", answer.text());
    }

    async fn ask(&self, process: usize) -> Answer {
        let call = resolve(&[("prompt", text(&self.prompt["prompt_id"]))]).key(&self.scene.key);
        call.send(&self.processes[process].router).await
    }

    async fn take(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Move(what) => {
                self.make(what).await;
                self.note().await;
            }
            Step::Race(what) => {
                let asks = join_all((0..self.processes.len()).map(|process| self.ask(process)));
                let revisions = self.facts.len();
                let ((), answers) = tokio::join!(self.make(what), asks);
                self.note().await;
                if self.facts.len() > revisions {
                    self.count("raced", answers.len());
                }
                for (process, answer) in answers.iter().enumerate() {
                    self.check(process, answer)?;
                }
            }
            Step::Resolve(process) => {
                let answer = self.ask(*process).await;
                self.check(*process, &answer)?;
            }
            Step::Pass(millis) => self.scene.world.clock.advance(Duration::from_millis(*millis)),
            Step::Correct(millis) => {
                let clock = &self.scene.world.clock;
                let by = Duration::from_millis(millis.unsigned_abs());
                clock.set_wall(if *millis < 0 { clock.now().minus(by) } else { clock.now().plus(by) });
            }
        }
        Ok(())
    }

    /// The revision that a read at this moment gave at least: moves of the very moment may be before or after it.
    fn revision_before(&self, moment: Duration) -> u64 {
        self.facts.iter().rev().find(|fact| fact.since < moment).map_or(0, |fact| fact.revision)
    }

    fn count(&self, kind: &str, answers: usize) {
        *self.answers.borrow_mut().entry(kind.to_owned()).or_default() += answers;
    }

    fn check(&mut self, process: usize, answer: &Answer) -> Outcome {
        prop_assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        let age = Duration::from_millis(answer.header("cuecard-age-ms").parse().unwrap());
        let source = answer.header("cuecard-source");
        let body = answer.json();
        let revision = body["revision"].as_u64().unwrap();
        let fact = self.facts.iter().find(|fact| fact.revision == revision);
        let fact =
            fact.ok_or_else(|| TestCaseError::fail(format!("there never was a revision {revision}")))?;
        prop_assert_eq!(
            (text(&body["version_id"]), text(&body["name"])),
            (fact.version_id.as_str(), fact.name.as_str())
        );
        prop_assert!(["memory", "table"].contains(&source), "{source}");
        prop_assert!(age <= FRESH, "{age:?} from {source}");
        let (honest, bound) = (self.now().saturating_sub(age), self.now().saturating_sub(FRESH));
        prop_assert!(
            revision >= self.revision_before(bound),
            "{revision} is older than the bound: {:?}",
            self.facts
        );
        prop_assert!(
            revision >= self.revision_before(honest),
            "{revision} is older than {age:?}: {:?}",
            self.facts
        );
        prop_assert!(revision >= self.seen[process], "process {process} went back to {revision}");
        self.seen[process] = revision;
        self.count(source, 1);
        Ok(())
    }
}

#[test]
fn no_history_shows_an_answer_that_is_too_old_or_goes_back() {
    let runtime = Runtime::new().unwrap();
    let (scene, processes) = runtime.block_on(async {
        let scene = Scene::start().await;
        let others = [scene.world.another_process().await, scene.world.another_process().await];
        let processes: Vec<_> = [scene.world.process.clone()].into_iter().chain(others).collect();
        (scene, processes)
    });
    let (histories, answers) = (Cell::new(0_u32), Answers::default());
    let config = ProptestConfig::with_cases(24);
    proptest!(config, |(steps in vec(steps(), 1..50))| {
        histories.set(histories.get() + 1);
        runtime.block_on(async {
            let name = format!("history {}", histories.get());
            let mut history = History::begin(&scene, &processes, &answers, &name).await;
            for step in &steps {
                history.take(step).await?;
            }
            Ok::<_, TestCaseError>(())
        })?;
    });
    let answers = answers.into_inner();
    println!("{answers:?}");
    for kind in ["memory", "table", "raced"] {
        assert!(answers.get(kind).is_some_and(|count| *count > 0), "{kind}: {answers:?}");
    }
}
