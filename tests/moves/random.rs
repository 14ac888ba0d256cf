//! Random operations by three roles, and what the audit must hold of them.

mod deeds;

use std::collections::BTreeMap;

use e2e::{ADMIN, Answer, Call, Dice, World, text};
use serde_json::Value;

/// Something that somebody does.
struct Deed {
    call: Call,
    /// The chain that grows; `None`: that of the prompt which it makes.
    chain: Option<String>,
    /// Whether success changes anything.
    changes: bool,
    /// Whether a second time under the same idempotency key is answered with what was made the first time.
    replays: bool,
    lesson: Lesson,
}

/// What to remember when a deed succeeds; the number is a place in the list of what is known.
enum Lesson {
    Nothing,
    Prompt(&'static str),
    Version(usize),
    Archived(usize, bool),
    Locked(usize, &'static str, bool),
    TestSet(&'static str),
    TestSetGone(usize),
    Key(&'static str),
    KeyReplaced(usize),
    KeyGone(usize),
}

struct Prompt {
    id: String,
    name: Value,
    team: &'static str,
    versions: Vec<Value>,
    archived: bool,
    locked: Vec<&'static str>,
}

/// What was done, and what the audit must hold of it.
pub struct Play<'a> {
    world: &'a World,
    dice: Dice,
    keys: [String; 3],
    prompts: Vec<Prompt>,
    test_sets: Vec<(Value, &'static str)>,
    made_keys: Vec<(Value, &'static str)>,
    revoked: Vec<(Value, &'static str)>,
    /// How many entries each chain has.
    pub entries: BTreeMap<String, u64>,
    /// How many operations were answered with each status.
    pub statuses: BTreeMap<u16, usize>,
}

/// How many entries the heads of an export announce, by chain.
pub fn announced(export: &str) -> BTreeMap<String, u64> {
    let lines = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let heads = lines.filter(|line| line["type"] == "head");
    heads.map(|head| (text(&head["chain"]).to_owned(), head["sequence"].as_u64().unwrap())).collect()
}

impl<'a> Play<'a> {
    /// Three roles in a world of two teams.
    pub async fn begin(world: &'a World, seed: u64) -> Self {
        let keys = [world.key("red", "author").await, world.key("red", "releaser").await, ADMIN.to_owned()];
        let export = world.admin(Call::get("/api/audit/export")).await.text();
        Self {
            world,
            dice: Dice::new(seed),
            keys,
            prompts: Vec::new(),
            test_sets: Vec::new(),
            made_keys: Vec::new(),
            revoked: Vec::new(),
            entries: announced(&export),
            statuses: BTreeMap::new(),
        }
    }

    /// Does one thing, one time in five twice under the same idempotency key.
    pub async fn step(&mut self, number: usize) {
        let deed = self.deed(number);
        let call = deed.call.clone().key(&self.dice.pick(&self.keys));
        let call = call.header("idempotency-key", &format!("deed {number}"));
        let answer = call.clone().send(&self.world.process.router).await;
        *self.statuses.entry(answer.status.as_u16()).or_default() += 1;
        assert!(answer.status.as_u16() < 500, "{}", answer.text());
        if answer.status.is_success() {
            self.learn(&deed, &answer);
        }
        if deed.replays && self.dice.once_in(5) {
            let again = call.send(&self.world.process.router).await;
            let replayed = again.header("idempotency-replayed") == "true";
            assert_eq!((again.status, replayed), (answer.status, answer.status.is_success()));
        }
    }

    fn learn(&mut self, deed: &Deed, answer: &Answer) {
        let body = answer.json();
        let chain = deed.chain.clone().unwrap_or_else(|| text(&body["prompt_id"]).to_owned());
        if deed.changes && body["unchanged"] != true {
            *self.entries.entry(chain).or_default() += 1;
        }
        match deed.lesson {
            Lesson::Nothing => {}
            Lesson::Prompt(team) => self.prompts.push(Prompt {
                id: text(&body["prompt_id"]).to_owned(),
                name: body["name"].clone(),
                team,
                versions: Vec::new(),
                archived: false,
                locked: Vec::new(),
            }),
            Lesson::Version(at) => self.prompts[at].versions.push(body["version_id"].clone()),
            Lesson::Archived(at, archived) => self.prompts[at].archived = archived,
            Lesson::Locked(at, environment, locked) => {
                self.prompts[at].locked.retain(|other| *other != environment);
                self.prompts[at].locked.extend(locked.then_some(environment));
            }
            Lesson::TestSet(team) => self.test_sets.push((body["test_set_id"].clone(), team)),
            Lesson::TestSetGone(at) => {
                self.test_sets.swap_remove(at);
            }
            Lesson::Key(team) => self.made_keys.push((body["key_id"].clone(), team)),
            Lesson::KeyReplaced(at) => self.made_keys[at].0 = body["key_id"].clone(),
            Lesson::KeyGone(at) => self.revoked.push(self.made_keys.swap_remove(at)),
        }
    }
}
