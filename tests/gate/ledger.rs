//! What the audit alone tells of a prompt: what is live in production, and how each version stood at each moment.

use std::collections::{BTreeMap, BTreeSet};

use e2e::text;
use serde_json::Value;

/// A verdict on a version, as the entries about it say.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// `pass`, `fail`, `manual_review`; `approved` or `rejected` once a person decided.
    pub result: String,
    /// What the end of its run says.
    pub evidence: Value,
}

/// A version, as the entries about it say.
#[derive(Debug, Default)]
pub struct Version {
    /// The id of whoever wrote it.
    pub author: String,
    /// The run that decides, or null.
    pub deciding: Value,
    /// What that run came to; `None`: nothing yet.
    pub verdict: Option<Verdict>,
    /// Whether it was ever live in `staging`.
    pub staged: bool,
    /// Who approved it for production.
    pub approvers: BTreeSet<String>,
    /// The other models on which it passed.
    pub models: BTreeSet<String>,
    /// The newest run on each of the other models: it alone decides there.
    asked: BTreeMap<String, String>,
}

impl Version {
    /// What a run on another model came to: of a run that is not the newest there, nothing.
    fn decided(&mut self, model: &str, run: &str, passed: bool) {
        if self.asked[model] != run {
            return;
        }
        if passed {
            self.models.insert(model.to_owned());
        } else {
            self.models.remove(model);
        }
    }
}

/// What an entry of an evaluation is about.
struct Run {
    version: String,
    /// The model, where it is not the version's own.
    other_model: Option<String>,
    /// How it ended, where a person has to look.
    unclear: bool,
}

/// A team's gate and the newest version of each of its test sets.
#[derive(Debug, Clone, Default)]
pub struct Team {
    pub gate: Value,
    pub sets: BTreeMap<String, Value>,
}

/// A prompt, as its chain says.
#[derive(Default)]
pub struct Ledger {
    /// Its own gate, or null.
    pub gate: Value,
    pub test_set: Value,
    pub archived: bool,
    /// Whether production is locked.
    pub locked: bool,
    /// What is live in production, or null.
    pub live: Value,
    /// The model that production names instead of the version's, or null.
    pub model: Value,
    /// What was ever live in production.
    pub been_live: BTreeSet<String>,
    pub versions: BTreeMap<String, Version>,
    runs: BTreeMap<String, Run>,
}

impl Team {
    /// What is so after an entry of the team's chain.
    pub fn apply(&mut self, entry: &Value) {
        match text(&entry["action"]) {
            "team_updated" => self.gate = entry["after"]["gate"].clone(),
            "test_set_version_created" => {
                let set = text(&entry["subject"]).to_owned();
                self.sets.insert(set, entry["after"]["version"].clone());
            }
            _ => {}
        }
    }
}

impl Ledger {
    /// What is so after an entry of the prompt's chain.
    pub fn apply(&mut self, entry: &Value) {
        let (subject, after) = (text(&entry["subject"]), &entry["after"]);
        match text(&entry["action"]) {
            "prompt_created" | "prompt_updated" | "prompt_archived" | "prompt_restored" => {
                self.gate = after["gate"].clone();
                self.test_set = after["test_set_id"].clone();
                self.archived = !after["archived_at"].is_null();
            }
            "version_created" => {
                let author = text(&entry["actor"]["id"]).to_owned();
                self.versions.insert(subject.to_owned(), Version { author, ..Version::default() });
                let run = entry["evidence"]["eval_run_id"].clone();
                self.decide_by(subject, run);
            }
            "evaluation_queued" => self.queued(entry),
            "evaluation_ended" => self.ended(entry),
            "evaluation_reviewed" => self.reviewed(entry),
            "approved" if entry["environment"] == "production" => {
                let by = text(&entry["actor"]["id"]).to_owned();
                self.version(subject).approvers.insert(by);
            }
            "promoted" | "rolled_back" => self.moved(entry),
            "locked" | "unlocked" if entry["environment"] == "production" => {
                self.locked = entry["action"] == "locked";
            }
            "overrides_set" if entry["environment"] == "production" => {
                self.model = after["overrides"]["model_id"].clone();
            }
            _ => {}
        }
    }

    fn version(&mut self, id: &str) -> &mut Version {
        self.versions.get_mut(id).unwrap_or_else(|| panic!("nobody wrote {id}"))
    }

    fn decide_by(&mut self, version: &str, run: Value) {
        if let Some(id) = run.as_str() {
            let about = Run { version: version.to_owned(), other_model: None, unclear: false };
            self.runs.insert(id.to_owned(), about);
        }
        let version = self.version(version);
        version.deciding = run;
        version.verdict = None;
    }

    fn queued(&mut self, entry: &Value) {
        let after = &entry["after"];
        let version = text(&after["version_id"]);
        match text(&after["purpose"]) {
            "verdict" => self.decide_by(version, entry["subject"].clone()),
            "other_model" => {
                let (model, run) = (text(&after["model_id"]).to_owned(), text(&entry["subject"]).to_owned());
                self.version(version).asked.insert(model.clone(), run.clone());
                let about = Run { version: version.to_owned(), other_model: Some(model), unclear: false };
                self.runs.insert(run, about);
            }
            _ => {}
        }
    }

    fn ended(&mut self, entry: &Value) {
        let run = text(&entry["subject"]);
        let Some(about) = self.runs.get_mut(run) else { return };
        let Some(result) = entry["after"]["gate_result"].as_str() else { return };
        about.unclear = result == "manual_review";
        let (version, other_model) = (about.version.clone(), about.other_model.clone());
        let version = self.version(&version);
        match other_model {
            Some(model) => version.decided(&model, run, result == "pass"),
            None if version.deciding == *run => {
                let verdict = Verdict { result: result.to_owned(), evidence: entry["evidence"].clone() };
                version.verdict = Some(verdict);
            }
            None => {}
        }
    }

    /// A review counts where the run asked for one, and somebody else than the author gave it.
    fn reviewed(&mut self, entry: &Value) {
        let run = text(&entry["subject"]);
        let approved = entry["after"]["approved"] == true;
        let Some(about) = self.runs.get(run).filter(|about| about.unclear) else { return };
        let (version, other_model) = (about.version.clone(), about.other_model.clone());
        let version = self.version(&version);
        if entry["actor"]["id"] == *version.author {
            return;
        }
        match (other_model, &mut version.verdict) {
            (Some(model), _) => version.decided(&model, run, approved),
            (None, Some(verdict)) if version.deciding == *run => {
                verdict.result = if approved { "approved" } else { "rejected" }.to_owned();
            }
            (None, _) => {}
        }
    }

    fn moved(&mut self, entry: &Value) {
        let version = text(&entry["after"]["version_id"]).to_owned();
        match text(&entry["environment"]) {
            "staging" => self.version(&version).staged = true,
            "production" => {
                self.live = entry["after"]["version_id"].clone();
                self.model = Value::Null;
                self.been_live.insert(version);
            }
            _ => {}
        }
    }
}
