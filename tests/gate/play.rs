//! A seeded sequence of what people and machines do, alone, at once, and in between each other.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use e2e::{Answer, Call, Dice};
use serde_json::Value;
use testkit::fault::{Fault, Rule};

use crate::{oracle::Oracle, stage::Stage};

/// A promotion asks the table about this often.
const CALLS_OF_A_PROMOTION: usize = 12;

/// What a promotion stands on, beside the record of its own prompt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Whatever there is.
    Any,
    /// The gate of the team, which is open for a moment.
    OpenGate,
    /// A test set, on which the newest version has just passed, if its cases are enough.
    JustPassed,
}

/// What was done so far.
pub struct Play {
    pub stage: Stage,
    pub dice: Dice,
    pub oracle: Oracle,
    /// The versions that were made, oldest first.
    pub versions: Vec<Value>,
    /// The runs that were named, oldest first.
    pub runs: Vec<String>,
    /// How often each refusal, or status, was answered.
    pub answers: BTreeMap<String, usize>,
    /// Makes every version another one.
    number: usize,
}

impl Play {
    /// Sets the stage.
    pub async fn begin(seed: u64) -> Self {
        Self {
            stage: Stage::new().await,
            dice: Dice::new(seed),
            oracle: Oracle::default(),
            versions: Vec::new(),
            runs: Vec::new(),
            answers: BTreeMap::new(),
            number: 0,
        }
    }

    /// Does something; whatever it was, production must be as the oracle allows.
    pub async fn step(&mut self) -> Result<(), String> {
        // Ids of one moment have no order.
        self.stage.world.clock.advance(Duration::from_millis(1));
        match self.dice.below(16) {
            0..=1 => self.stage.world.work().await,
            2 => drop(self.stage.world.step_stream().await),
            3 => drop(self.stage.world.step_queue().await),
            4 => self.stage.turn(),
            5 => self.at_once().await,
            6..=8 => self.around_a_promotion().await?,
            _ => self.alone().await,
        }
        self.oracle.observe(&self.stage).await
    }

    fn next(&mut self) -> Call {
        self.number += 1;
        self.deed(self.number)
    }

    async fn alone(&mut self) {
        let call = self.next();
        self.make(call).await;
    }

    async fn make(&mut self, call: Call) {
        let answer = call.send(&self.stage.world.process.router).await;
        self.learn(&answer);
    }

    /// Several calls at the same moment, and perhaps what runs behind them.
    async fn at_once(&mut self) {
        let mut calls = Vec::new();
        for _ in 0..2 + self.dice.below(2) {
            let router = self.stage.world.process.router.clone();
            let call = self.next();
            calls.push(tokio::spawn(async move { call.send(&router).await }));
        }
        if self.dice.once_in(2) {
            self.stage.world.work().await;
        }
        for call in calls {
            let answer = call.await.unwrap();
            self.learn(&answer);
        }
    }

    /// One of the answers that a promotion gets from the table is held back, or its write is, and meanwhile other things
    /// happen: it decides on what is so no more. What the oracle reads in between came before the promotion, unless that
    /// was the answer to its write.
    async fn around_a_promotion(&mut self) -> Result<(), String> {
        if self.versions.is_empty() {
            return Ok(());
        }
        let (ground, call) = self.next_promotion().await;
        self.oracle.observe(&self.stage).await?;
        let rule = self.stage.world.faults().add(self.late());
        let router = self.stage.world.process.router.clone();
        let mut promotion = tokio::spawn(async move { call.send(&router).await });
        let early = tokio::select! {
            () = rule.has_held(1) => None,
            answer = &mut promotion => Some(answer.unwrap()),
        };
        if early.is_none() {
            for _ in 0..=self.dice.below(2) {
                let call = self.in_between(ground);
                self.make(call).await;
            }
            if self.dice.once_in(2) {
                self.stage.world.work().await;
            }
            self.oracle.observe_meanwhile(&self.stage).await?;
        }
        rule.end();
        let answer = match early {
            Some(answer) => answer,
            None => promotion.await.unwrap(),
        };
        self.learn(&answer);
        Ok(())
    }

    /// A promotion that is likely to go through, or any; and what it then stands on.
    async fn next_promotion(&mut self) -> (Ground, Call) {
        let ground = self.dice.pick(&[Ground::OpenGate, Ground::JustPassed, Ground::Any]);
        for call in self.prepared(ground) {
            self.make(call).await;
        }
        if ground != Ground::JustPassed {
            return (ground, self.promotion());
        }
        self.number += 1;
        self.make(self.new_version("good", self.number)).await;
        self.stage.world.work().await;
        (ground, self.promotion_of(&self.versions[self.versions.len() - 1]))
    }

    /// What happens while it is on its way: mostly what takes the ground from under it.
    fn in_between(&mut self, ground: Ground) -> Call {
        match ground {
            Ground::JustPassed if self.dice.once_in(2) => self.cases(),
            Ground::OpenGate | Ground::JustPassed => self.closed_gate(),
            Ground::Any => self.next(),
        }
    }

    /// What of a promotion comes late.
    fn late(&self) -> Rule {
        if self.dice.once_in(2) {
            return Rule::on("TransactWriteItems", Fault::HoldBefore).times(1);
        }
        let (number, seen) = (self.dice.below(CALLS_OF_A_PROMOTION), AtomicUsize::new(0));
        let nth = move |_: &Value| seen.fetch_add(1, Ordering::SeqCst) == number;
        Rule::all(Fault::Hold).when(nth)
    }

    fn learn(&mut self, answer: &Answer) {
        let (status, body) = (answer.status.as_u16(), answer.json());
        assert!(status < 500, "{}", answer.text());
        let problem = answer.problem();
        let said = if problem.is_empty() { status.to_string() } else { problem };
        *self.answers.entry(said).or_default() += 1;
        if status == 201 && body["version_id"].is_string() && body["content_sha256"].is_string() {
            self.versions.push(body["version_id"].clone());
        }
        if let Some(run) = body["eval_run_id"].as_str() {
            self.runs.push(run.to_owned());
        }
    }
}
