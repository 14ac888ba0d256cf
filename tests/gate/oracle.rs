//! The judge of the judges: reads nothing but the export of the audit, and insists that each move of production was
//! allowed when it was made.

use std::collections::BTreeMap;

use domain::audit::export::verify;
use e2e::{Call, text};
use serde_json::Value;

use crate::{
    ledger::{Ledger, Team, Version},
    stage::{Stage, TEAM},
};

/// What is known so far, and what production was moved by.
#[derive(Default)]
pub struct Oracle {
    pub ledger: Ledger,
    team: Team,
    /// How far each chain was read.
    read: BTreeMap<String, u64>,
    /// How often each reason let something into production.
    pub causes: BTreeMap<&'static str, usize>,
}

impl Oracle {
    /// Reads what was written, and judges it; then what production answers must be what the last move left.
    pub async fn observe(&mut self, stage: &Stage) -> Result<(), String> {
        self.read(stage).await?;
        self.check_resolved(stage).await
    }

    /// The same while a move is under way: memory may not have heard of it yet, and shows what was live before.
    pub async fn observe_meanwhile(&mut self, stage: &Stage) -> Result<(), String> {
        self.read(stage).await?;
        let answer = stage.resolve(&stage.people.resolver).await;
        let Some(version) = answer.json()["version_id"].as_str().map(str::to_owned) else { return Ok(()) };
        if !self.ledger.been_live.contains(&version) {
            // What is held back may be none that the move waits for: then it was made between the two looks.
            self.read(stage).await?;
        }
        let lived = self.ledger.been_live.contains(&version);
        if lived { Ok(()) } else { Err(format!("this was never live: {}", answer.text())) }
    }

    /// Reads what was written since the last time, and judges each move in it.
    ///
    /// What was written in one chain has an order. Between the chains of the prompt and of its team nothing is known
    /// but what was read before, so a move is allowed if it was at any moment between.
    async fn read(&mut self, stage: &Stage) -> Result<(), String> {
        let export = stage.world.admin(Call::get("/api/audit/export")).await.text();
        let prompt = text(&stage.prompt["prompt_id"]);
        let mut team = vec![self.team.clone()];
        let mut own = Vec::new();
        for line in export.lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            let chain = text(&entry["chain"]).to_owned();
            let sequence = entry["sequence"].as_u64().unwrap();
            if entry["type"] != "entry" || self.read.get(&chain).is_some_and(|read| *read >= sequence) {
                continue;
            }
            if chain == prompt {
                own.push(entry);
            } else if chain == format!("team:{TEAM}") {
                let mut after = team[team.len() - 1].clone();
                after.apply(&entry);
                team.push(after);
            }
            self.read.insert(chain, sequence);
        }
        for entry in own {
            let causes: Vec<_> = team.iter().map(|team| self.cause(team, &entry)).collect();
            match causes.iter().find_map(|cause| cause.as_ref().ok()) {
                Some(cause) => *self.causes.entry(cause).or_default() += 1,
                None => return Err(format!("{causes:?}: {entry}")),
            }
            self.ledger.apply(&entry);
        }
        self.team = team.swap_remove(team.len() - 1);
        Ok(())
    }

    /// The chains must be whole, or nothing of what was read was worth anything.
    pub async fn close(&self, stage: &Stage) -> Result<(), String> {
        let export = stage.world.admin(Call::get("/api/audit/export")).await.text();
        verify(&export).map(drop).map_err(|unsound| format!("{unsound:?}"))
    }

    /// What is resolved is what the audit says is live, on the model that it says.
    async fn check_resolved(&self, stage: &Stage) -> Result<(), String> {
        let answer = stage.resolve(&stage.people.resolver).await;
        let body = answer.json();
        let ledger = &self.ledger;
        let as_recorded = match answer.status.as_u16() {
            410 => ledger.archived,
            404 => ledger.live.is_null(),
            200 => {
                let model = ledger.model.as_str().unwrap_or("test/model");
                !ledger.archived && body["version_id"] == ledger.live && body["model_id"] == *model
            }
            _ => false,
        };
        let foreign = stage.resolve(&stage.people.foreigner).await;
        match (as_recorded, foreign.status.as_u16()) {
            (true, 404) => Ok(()),
            (true, _) => Err(format!("a foreign team resolves: {}", foreign.text())),
            (false, _) => Err(format!("{} is live, and resolved is {}", ledger.live, answer.text())),
        }
    }

    /// What lets an entry stand, or why nothing does.
    fn cause(&self, team: &Team, entry: &Value) -> Result<&'static str, &'static str> {
        let production = entry["environment"] == "production";
        match text(&entry["action"]) {
            "promoted" if production => self.cause_of_promotion(team, entry),
            "rolled_back" if production => self.cause_of_rollback(entry),
            "overrides_set" if production => self.cause_of_model(team, entry),
            _ => Ok("anything else"),
        }
    }

    fn gate<'a>(&'a self, team: &'a Team) -> &'a Value {
        if self.ledger.gate.is_null() { &team.gate } else { &self.ledger.gate }
    }

    fn cause_of_promotion(&self, team: &Team, entry: &Value) -> Result<&'static str, &'static str> {
        let ledger = &self.ledger;
        if ledger.archived {
            return Err("the prompt is archived");
        }
        if entry["evidence"]["override"] == true {
            let by_admin = entry["actor"]["role"] == "admin" && entry["reason"].is_string();
            return if by_admin {
                Ok("overridden")
            } else {
                Err("an override without an admin and a reason")
            };
        }
        if ledger.locked {
            return Err("production is locked");
        }
        let gate = self.gate(team);
        if gate["mode"] != "required" {
            return Ok("ungated");
        }
        let version = &ledger.versions[text(&entry["after"]["version_id"])];
        check_people(gate, version)?;
        self.check_verdict(team, gate, version, &entry["after"]["version_id"])
    }

    fn check_verdict(
        &self,
        team: &Team,
        gate: &Value,
        version: &Version,
        id: &Value,
    ) -> Result<&'static str, &'static str> {
        let ledger = &self.ledger;
        let verdict = version.verdict.as_ref().ok_or("it has no verdict")?;
        let evidence = &verdict.evidence;
        if evidence["test_set_id"] != ledger.test_set {
            return Err("its verdict is about another test set");
        }
        if team.sets.get(text(&ledger.test_set)) != Some(&evidence["test_set_version"]) {
            return Err("its verdict is about another version of the test set");
        }
        let beside = &evidence["comparison"]["version"]["id"];
        if !ledger.live.is_null() && ledger.live != *id && ledger.live != *beside {
            return Err("it was not compared with what is live");
        }
        match verdict.result.as_str() {
            "approved" => Ok("reviewed"),
            "pass" => reaches(gate, evidence).map(|()| "passed"),
            _ => Err("it has not passed"),
        }
    }

    fn cause_of_rollback(&self, entry: &Value) -> Result<&'static str, &'static str> {
        let ledger = &self.ledger;
        let id = text(&entry["after"]["version_id"]);
        let verdict = ledger.versions[id].verdict.as_ref();
        let passed = verdict.is_some_and(|verdict| ["pass", "approved"].contains(&verdict.result.as_str()));
        if ledger.archived {
            Err("the prompt is archived")
        } else if ledger.been_live.contains(id) {
            Ok("back to what was live")
        } else if passed {
            Ok("back to what passed")
        } else {
            Err("it was never live and has not passed")
        }
    }

    fn cause_of_model(&self, team: &Team, entry: &Value) -> Result<&'static str, &'static str> {
        let overrides = &entry["after"]["overrides"];
        let Some(model) = overrides["model_id"].as_str().filter(|model| *model != "test/model") else {
            return Ok("the version's own model");
        };
        let version = &self.ledger.versions[text(&self.ledger.live)];
        if self.gate(team)["mode"] != "required" {
            Ok("another model, ungated")
        } else if version.models.contains(model) {
            Ok("another model that passed")
        } else {
            Err("it has not passed on this model")
        }
    }
}

/// What a policy asks of people.
fn check_people(gate: &Value, version: &Version) -> Result<(), &'static str> {
    if gate["require_staging_first"] == true && !version.staged {
        return Err("it was never in staging");
    }
    let approved = version.approvers.iter().any(|by| *by != version.author);
    if gate["require_approval"] == true && !approved {
        return Err("nobody else approved it");
    }
    Ok(())
}

/// Whether the figures of a run reach what a policy asks for, without a person's word.
fn reaches(gate: &Value, evidence: &Value) -> Result<(), &'static str> {
    let (summary, comparison) = (&evidence["summary"], &evidence["comparison"]);
    let count = |name: &str| summary["tally"][name].as_f64().unwrap();
    let (passed, judged) = (count("passed"), count("passed") + count("failed") + count("errored"));
    let asked = |name: &str| gate[name].as_f64().unwrap_or_default();
    if judged < asked("min_cases") || passed / judged < asked("min_pass_rate") {
        return Err("too few cases pass");
    }
    if summary["avg_score"].as_f64().unwrap() < asked("min_score") {
        return Err("its score is too low");
    }
    if comparison.is_null() {
        return Ok(());
    }
    let count = |name: &str| comparison[name].as_f64().unwrap();
    let bound = lower_bound(count("regressed"), count("improved"), count("pairs"));
    let least = if count("pairs") < judged { asked("min_cases").max(50.0) } else { asked("min_cases") };
    if count("pairs") < least || bound <= -0.05 || count("critical_regressed") > 0.0 {
        return Err("nobody knows that it is no worse than what is live");
    }
    Ok(())
}

/// The lower end of the one-sided 95 % interval of Bonett and Price (statistics.md §6).
fn lower_bound(regressed: f64, improved: f64, pairs: f64) -> f64 {
    let n = pairs + 2.0;
    let (lost, won) = ((regressed + 1.0) / n, (improved + 1.0) / n);
    let difference = won - lost;
    difference - 1.645 * ((lost + won - difference * difference) / n).sqrt()
}
