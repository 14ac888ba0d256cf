//! What each of them may try, mostly with a key that suffices.

use e2e::{ADMIN, Call, text};
use serde_json::{Value, json};

use crate::{
    play::{Ground, Play},
    stage::{FEW, MANY, TEAM, at, cases, content, gate, put_cases, under},
};

/// How many of the newest versions and runs are of interest.
const NEWEST: usize = 4;

impl Play {
    /// Something that somebody tries.
    pub fn deed(&self, number: usize) -> Call {
        if self.versions.is_empty() {
            return self.any_version(number);
        }
        let ledger = &self.oracle.ledger;
        if (ledger.archived || ledger.locked) && self.dice.once_in(2) {
            return if ledger.archived { self.archive() } else { self.lock() };
        }
        match self.dice.below(24) {
            0..=3 => self.any_version(number),
            4..=8 => self.promotion(),
            9 => self.rollback(),
            10..=13 => self.review(),
            14 => self.approval(),
            15 => self.evaluation(),
            16 => self.cases(),
            17..=18 => self.gate(),
            19 => self.test_set(),
            20 => self.team(),
            21 => self.overrides(),
            22 => self.lock(),
            _ => self.archive(),
        }
    }

    /// The call with this key, or now and then with anybody's.
    fn by(&self, key: &str, call: Call) -> Call {
        let people = &self.stage.people;
        let all = [&people.author, &people.releaser, &people.colleague, &people.resolver, &people.foreigner];
        if self.dice.once_in(8) { call.key(self.dice.pick(&all).as_str()) } else { call.key(key) }
    }

    fn releaser(&self) -> &str {
        let people = &self.stage.people;
        self.dice.pick(&[&people.releaser, &people.colleague])
    }

    fn admin_or_releaser(&self) -> &str {
        if self.dice.once_in(3) { self.releaser() } else { ADMIN }
    }

    /// Any version, or one of the newest, or mostly one that has something to say for it.
    fn version(&self) -> Value {
        let newest = &self.versions[self.versions.len().saturating_sub(NEWEST)..];
        let fit = self.versions_that(&["pass", "approved"]);
        match self.dice.below(4) {
            0 => self.dice.pick(&self.versions),
            1 => self.dice.pick(newest),
            _ if fit.is_empty() => self.dice.pick(newest),
            _ => self.dice.pick(&fit),
        }
    }

    /// The newest versions whose verdict is one of these.
    fn versions_that(&self, results: &[&str]) -> Vec<Value> {
        let is_so = |version: &&Value| {
            let known = self.oracle.ledger.versions.get(text(version));
            let verdict = known.and_then(|version| version.verdict.as_ref());
            verdict.is_some_and(|verdict| results.contains(&verdict.result.as_str()))
        };
        self.versions.iter().rev().filter(is_so).take(NEWEST).cloned().collect()
    }

    fn prompt(&self, rest: &str) -> String {
        at(&self.stage.prompt, rest)
    }

    fn under_version(&self, rest: &str) -> String {
        under(&json!({ "version_id": self.version() }), rest)
    }

    fn any_version(&self, number: usize) -> Call {
        let kind = self.dice.pick(&["good", "good", "good", "bad", "unclear", "unclear", "moody"]);
        self.new_version(kind, number)
    }

    /// A version of a kind.
    pub fn new_version(&self, kind: &str, number: usize) -> Call {
        let key = if self.dice.once_in(3) { self.releaser() } else { &self.stage.people.author };
        self.by(key, Call::post(self.prompt("/versions"), &content(kind, number)))
    }

    /// A promotion to production, by a releaser.
    pub fn promotion_of(&self, version: &Value) -> Call {
        let body = json!({ "version_id": version, "environment": "production" });
        Call::post(self.prompt("/promote"), &body).key(self.releaser())
    }

    /// A promotion, mostly to production.
    pub fn promotion(&self) -> Call {
        let environment = if self.dice.once_in(6) { "staging" } else { "production" };
        let mut body = json!({ "version_id": self.version(), "environment": environment });
        if self.dice.once_in(10) {
            body["override"] = json!({ "reason": "the house is on fire" });
            return self.by(self.admin_or_releaser(), Call::post(self.prompt("/promote"), &body));
        }
        self.by(self.releaser(), Call::post(self.prompt("/promote"), &body))
    }

    fn rollback(&self) -> Call {
        let mut body = json!({ "environment": "production", "reason": "worse" });
        if self.dice.once_in(2) {
            body["target_version_id"] = self.version();
        }
        self.by(self.releaser(), Call::post(self.prompt("/rollback"), &body))
    }

    /// A review of a run that waits for one, mostly, or the end of a run.
    fn review(&self) -> Call {
        let waiting = self.versions_that(&["manual_review"]);
        let waiting = waiting.iter().map(|id| self.oracle.ledger.versions[text(id)].deciding.clone());
        let newest = self.runs.iter().rev().take(NEWEST).map(|run| json!(run));
        let waiting: Vec<Value> = waiting.collect();
        let among = if waiting.is_empty() || self.dice.once_in(4) { newest.collect() } else { waiting };
        let run = if among.is_empty() { json!("evl_none") } else { self.dice.pick(&among) };
        let body = json!({ "decision": self.dice.pick(&["approve", "approve", "reject"]), "reason": "seen" });
        let verb = if self.dice.once_in(8) { "cancel" } else { "review" };
        let mut key = self.releaser();
        if self.dice.once_in(4) {
            key = ADMIN;
        }
        self.by(key, Call::post(format!("/api/evals/{}/{verb}", text(&run)), &body))
    }

    fn approval(&self) -> Call {
        let body = json!({ "environment": "production", "reason": "read it" });
        self.by(self.releaser(), Call::post(self.under_version("/approvals"), &body))
    }

    fn evaluation(&self) -> Call {
        let body = self.dice.pick(&[
            json!({}),
            json!({}),
            json!({ "model_id": "test/other" }),
            json!({ "test_set_id": self.dice.pick(&self.stage.sets) }),
        ]);
        self.by(&self.stage.people.author, Call::post(self.under_version("/evals"), &body))
    }

    /// A newer version of a test set.
    pub fn cases(&self) -> Call {
        let (at, count) = self.dice.pick(&[(0, FEW), (1, MANY)]);
        let lines = cases(count + self.dice.below(3));
        self.by(&self.stage.people.author, put_cases(&self.stage.sets[at], &lines))
    }

    fn gates(&self) -> Value {
        self.dice.pick(&[
            gate(json!({})),
            gate(json!({ "min_cases": 40 })),
            gate(json!({ "min_score": 0.7 })),
            gate(json!({ "min_pass_rate": 0.9 })),
            gate(json!({ "require_approval": true })),
            gate(json!({ "require_staging_first": true })),
            gate(json!({ "mode": "advisory" })),
            gate(json!({ "mode": "off" })),
        ])
    }

    fn gate(&self) -> Call {
        let gate = self.dice.pick(&[Value::Null, gate(json!({})), self.gates(), self.gates()]);
        self.by(self.admin_or_releaser(), Call::patch(self.prompt(""), &json!({ "gate": gate })))
    }

    fn test_set(&self) -> Call {
        let [few, many] = &self.stage.sets;
        let set = self.dice.pick(&[json!(few), json!(few), json!(few), json!(many), Value::Null]);
        self.by(&self.stage.people.author, Call::patch(self.prompt(""), &json!({ "test_set_id": set })))
    }

    fn team(&self) -> Call {
        let gate = if self.dice.once_in(2) { gate(json!({})) } else { self.gates() };
        self.by(ADMIN, Call::put(format!("/api/teams/{TEAM}"), &json!({ "gate": gate })))
    }

    /// What an admin does before a promotion stands on this: the prompt has its team's gate.
    pub fn prepared(&self, ground: Ground) -> Vec<Call> {
        let (prompt, mode) = match ground {
            Ground::Any => return Vec::new(),
            Ground::OpenGate => (json!({ "gate": null }), "off"),
            Ground::JustPassed => {
                (json!({ "gate": null, "test_set_id": self.dice.pick(&self.stage.sets) }), "required")
            }
        };
        let team = json!({ "gate": gate(json!({ "mode": mode })) });
        vec![
            Call::patch(self.prompt(""), &prompt).key(ADMIN),
            Call::put(format!("/api/teams/{TEAM}"), &team).key(ADMIN),
        ]
    }

    /// The gate of the team is closed, or tightened.
    pub fn closed_gate(&self) -> Call {
        let gates = [json!({}), json!({ "min_cases": 60 }), json!({ "require_approval": true })];
        let gate = gate(self.dice.pick(&gates));
        Call::put(format!("/api/teams/{TEAM}"), &json!({ "gate": gate })).key(ADMIN)
    }

    fn overrides(&self) -> Call {
        let body = self.dice.pick(&[
            json!({ "model_id": "test/other" }),
            json!({ "model_id": "test/other", "temperature": 0.1 }),
            json!({ "temperature": 0.2 }),
        ]);
        let path = self.prompt("/environments/production/overrides");
        self.by(self.releaser(), Call::put(path, &body))
    }

    fn lock(&self) -> Call {
        let path = self.prompt("/environments/production/lock");
        let lock = Call::put(&path, &json!({ "reason": "freeze" }));
        let locked = self.oracle.ledger.locked;
        self.by(self.releaser(), if locked { Call::delete(path) } else { lock })
    }

    fn archive(&self) -> Call {
        let restore = Call::post(self.prompt("/restore"), &json!({}));
        let archive = Call::delete(self.prompt(""));
        self.by(self.releaser(), if self.oracle.ledger.archived { restore } else { archive })
    }
}
