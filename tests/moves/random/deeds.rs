//! What people do, and what nobody may.

use e2e::{Call, text};
use serde_json::json;

use super::{Deed, Lesson, Play, Prompt};

/// The author and the releaser are of the red team.
const TEAMS: [&str; 4] = ["red", "red", "red", "blue"];
const ENVIRONMENTS: [&str; 3] = ["production", "staging", "canary"];

impl Play<'_> {
    pub(super) fn deed(&self, number: usize) -> Deed {
        if self.prompts.is_empty() {
            return self.new_prompt(number);
        }
        match self.dice.below(16) {
            0 => self.new_prompt(number),
            1 => self.nonsense(),
            2 | 3 => self.new_version(number),
            4..=6 => self.promotion(),
            7 | 8 => self.rollback(),
            9 => self.lock(),
            10 => self.update(number),
            11 => self.archive(),
            12 | 13 => self.test_set(number),
            14 => self.key(),
            _ => self.defaults(number),
        }
    }

    fn prompt(&self) -> (usize, &Prompt) {
        let at = self.dice.below(self.prompts.len());
        (at, &self.prompts[at])
    }

    fn new_prompt(&self, number: usize) -> Deed {
        let team = self.dice.pick(&TEAMS);
        let taken = self.prompts.first().filter(|first| first.team == team && self.dice.once_in(4));
        let name = taken.map_or_else(|| json!(format!("prompt {number}")), |first| first.name.clone());
        let mut body = json!({ "name": name, "team_id": team });
        if self.dice.once_in(2) {
            body["gate"] = json!({ "mode": "off" });
        }
        let call = Call::post("/api/prompts", &body);
        Deed { call, chain: None, changes: true, replays: true, lesson: Lesson::Prompt(team) }
    }

    fn new_version(&self, number: usize) -> Deed {
        let (at, prompt) = self.prompt();
        // What says the same as the newest version makes nothing.
        let text = if self.dice.once_in(4) { "the same".to_owned() } else { format!("text {number}") };
        let body = json!({ "template_text": text, "model_id": "test/model" });
        deed(prompt, Call::post(below(prompt, "/versions"), &body), Lesson::Version(at))
    }

    fn promotion(&self) -> Deed {
        let (_, prompt) = self.prompt();
        let version = match prompt.versions.as_slice() {
            [] => json!("ver_none"),
            versions => self.dice.pick(versions),
        };
        let mut body = json!({ "version_id": version, "environment": self.dice.pick(&ENVIRONMENTS) });
        match self.dice.below(6) {
            0 => body["expected_revision"] = json!(1),
            1 => body["override"] = json!({ "reason": "because" }),
            _ => {}
        }
        let call = Call::post(below(prompt, "/promote"), &body);
        Deed { replays: true, ..deed(prompt, call, Lesson::Nothing) }
    }

    fn rollback(&self) -> Deed {
        let (_, prompt) = self.prompt();
        let body = json!({ "environment": self.dice.pick(&ENVIRONMENTS), "reason": "worse" });
        let call = Call::post(below(prompt, "/rollback"), &body);
        Deed { replays: true, ..deed(prompt, call, Lesson::Nothing) }
    }

    fn lock(&self) -> Deed {
        let (at, prompt) = self.prompt();
        let environment = self.dice.pick(&ENVIRONMENTS);
        let path = below(prompt, &format!("/environments/{environment}/lock"));
        if self.dice.once_in(3) {
            let lesson = Lesson::Locked(at, environment, true);
            return deed(prompt, Call::put(path, &json!({ "reason": "freeze" })), lesson);
        }
        let changes = prompt.locked.contains(&environment);
        Deed { changes, ..deed(prompt, Call::delete(path), Lesson::Locked(at, environment, false)) }
    }

    fn update(&self, number: usize) -> Deed {
        let (_, prompt) = self.prompt();
        let member = self.dice.pick(&["name", "description"]);
        let body = json!({ member: format!("{member} {number}") });
        deed(prompt, Call::patch(below(prompt, ""), &body), Lesson::Nothing)
    }

    fn archive(&self) -> Deed {
        let (at, prompt) = self.prompt();
        let archive = self.dice.once_in(3);
        let call = if archive {
            Call::delete(below(prompt, ""))
        } else {
            Call::post(below(prompt, "/restore"), &json!({}))
        };
        Deed { changes: prompt.archived != archive, ..deed(prompt, call, Lesson::Archived(at, archive)) }
    }

    fn test_set(&self, number: usize) -> Deed {
        if self.test_sets.is_empty() || self.dice.once_in(3) {
            let team = self.dice.pick(&TEAMS);
            let body = json!({ "name": format!("set {number}"), "team_id": team });
            let call = Call::post("/api/test-sets", &body);
            return Deed { replays: true, ..of_team(team, call, Lesson::TestSet(team)) };
        }
        let at = self.dice.below(self.test_sets.len());
        let (id, team) = &self.test_sets[at];
        let path = format!("/api/test-sets/{}", text(id));
        if self.dice.once_in(4) {
            return of_team(team, Call::delete(path), Lesson::TestSetGone(at));
        }
        let good = r#"{"vars": {}, "expected": "yes"}"#;
        let cases = self.dice.pick(&[good, good, "not a case"]);
        let call = Call::new(axum::http::Method::PUT, format!("{path}/versions"));
        of_team(team, call.bytes("application/jsonl", cases), Lesson::Nothing)
    }

    fn key(&self) -> Deed {
        if self.made_keys.is_empty() || self.dice.once_in(2) {
            let team = self.dice.pick(&["red", "blue", "*"]);
            let body = json!({ "team_id": team, "role": "author", "name": "somebody" });
            return of_team(team, Call::post("/api/keys", &body), Lesson::Key(team));
        }
        if !self.revoked.is_empty() && self.dice.once_in(4) {
            let (id, team) = self.dice.pick(&self.revoked);
            let again = Call::delete(format!("/api/keys/{}", text(&id)));
            return Deed { changes: false, ..of_team(team, again, Lesson::Nothing) };
        }
        let at = self.dice.below(self.made_keys.len());
        let (id, team) = &self.made_keys[at];
        let path = format!("/api/keys/{}", text(id));
        if self.dice.once_in(2) {
            return of_team(team, Call::delete(path), Lesson::KeyGone(at));
        }
        of_team(team, Call::post(format!("{path}/rotate"), &json!({})), Lesson::KeyReplaced(at))
    }

    fn defaults(&self, number: usize) -> Deed {
        let team = self.dice.pick(&TEAMS);
        let body = json!({ "default_model_id": format!("model/{number}") });
        of_team(team, Call::put(format!("/api/teams/{team}"), &body), Lesson::Nothing)
    }

    /// What is refused whoever asks.
    fn nonsense(&self) -> Deed {
        let (_, prompt) = self.prompt();
        let promote = below(prompt, "/promote");
        let call = self.dice.pick(&[
            Call::post("/api/prompts", &json!({ "name": "x", "team_id": "red", "colour": "blue" })),
            Call::post(&promote, &json!({ "environment": "staging" })),
            Call::new(axum::http::Method::POST, &promote).bytes("application/json", "{"),
            Call::new(axum::http::Method::POST, &promote).bytes("text/plain", "promote it"),
            Call::delete("/api/prompts/prm_nobody"),
        ]);
        deed(prompt, call, Lesson::Nothing)
    }
}

fn below(prompt: &Prompt, rest: &str) -> String {
    format!("/api/prompts/{}{rest}", prompt.id)
}

fn deed(prompt: &Prompt, call: Call, lesson: Lesson) -> Deed {
    Deed { call, chain: Some(prompt.id.clone()), changes: true, replays: false, lesson }
}

fn of_team(team: &str, call: Call, lesson: Lesson) -> Deed {
    Deed { call, chain: Some(format!("team:{team}")), changes: true, replays: false, lesson }
}
