//! Blind ratings: people compare what the arms of an experiment answered to the same case, and nobody sees whose answer
//! is whose. Which two arms, and on which side each stands, follows from the experiment, the person and the case: so
//! nothing in a page tells it, and the answer to a page is still understood.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Caller, Error, ErrorKind, ExperimentId, KeyRole, Result, eval_run::CaseOutcome, experiment::Experiment,
    version::Evidence,
};
use sha2::{Digest, Sha256};
use store::Judgement;

use crate::{Act, Registry};

/// Two outputs to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The case.
    pub case_id: String,
    /// What was asked, as JSON; `None` where the case is not in the test set any more.
    pub question: Option<String>,
    /// What two arms answered, the left one first.
    pub outputs: [String; 2],
    /// How many pairs this person has judged, …
    pub judged: usize,
    /// … and how many are left, this one included.
    pub left: usize,
}

/// Which of two outputs is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The left one.
    Left,
    /// The right one.
    Right,
    /// Both are as good.
    Equal,
}

/// What all blind ratings of an experiment come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// By arm: how often it was better, and how often it was compared.
    pub arms: Vec<(String, usize, usize)>,
    /// How often both were as good.
    pub equal: usize,
    /// How many people judged.
    pub people: usize,
}

/// What the arms answered to the cases that they were last measured on.
struct Answers {
    /// By case, then by arm.
    by_case: BTreeMap<String, BTreeMap<usize, String>>,
    measured: Option<Evidence>,
}

impl Registry {
    /// The next two outputs for this person; `None` where nothing is left to compare.
    pub async fn blind_pair(&self, caller: &Caller, id: ExperimentId) -> Result<Option<Pair>> {
        let experiment = self.experiment(caller, id).await?;
        let (answers, known) = futures_util::try_join!(self.answers(&experiment), self.store.judgements(id))?;
        let own = known.iter().filter(|judgement| judgement.by == caller.actor.id);
        let own: BTreeSet<&str> = own.map(|judgement| judgement.case_id.as_str()).collect();
        let drawn = |case: &str| lot(id, &caller.actor.id, case);
        let left: BTreeMap<[u8; 32], &str> = answers
            .by_case
            .iter()
            .filter(|(case, of)| !own.contains(case.as_str()) && sides(of, drawn(case)).is_some())
            .map(|(case, _)| (drawn(case), case.as_str()))
            .collect();
        let Some((lot, case)) = left.iter().next() else { return Ok(None) };
        let Some([a, b]) = sides(&answers.by_case[*case], *lot) else { return Ok(None) };
        let output = |arm: usize| answers.by_case[*case][&arm].clone();
        Ok(Some(Pair {
            case_id: (*case).to_owned(),
            question: self.question(caller, &answers, case).await?,
            outputs: [output(a), output(b)],
            judged: own.len(),
            left: left.len(),
        }))
    }

    /// Keeps what somebody said of a pair. A second word on the same case changes nothing.
    pub async fn judge(&self, act: &Act, id: ExperimentId, case: &str, choice: Choice) -> Result<()> {
        act.caller.require(KeyRole::Author)?;
        let experiment = self.experiment(&act.caller, id).await?;
        let answers = self.answers(&experiment).await?;
        let by = &act.caller.actor.id;
        let found = answers.by_case.get(case).and_then(|of| sides(of, lot(id, by, case)));
        let gone = || {
            let detail = "This case is not compared any more: the versions were measured anew meanwhile.";
            Error::new(ErrorKind::Conflict, detail)
        };
        let key = |arm: usize| experiment.arms[arm].key.clone();
        let arms = found.ok_or_else(gone)?.map(key);
        let better = match choice {
            Choice::Left => Some(arms[0].clone()),
            Choice::Right => Some(arms[1].clone()),
            Choice::Equal => None,
        };
        let judgement =
            Judgement { case_id: case.to_owned(), by: by.clone(), arms, better, at: self.sources.now() };
        self.store.put_judgement(id, &judgement).await.map(|_| ())
    }

    /// What all blind ratings of an experiment come to.
    pub async fn judged(&self, experiment: &Experiment) -> Result<Judged> {
        let judgements = self.store.judgements(experiment.experiment_id).await?;
        let of_arm = |key: &str| {
            let compared = judgements.iter().filter(|judgement| judgement.arms.iter().any(|arm| arm == key));
            let better = judgements.iter().filter(|judgement| judgement.better.as_deref() == Some(key));
            (key.to_owned(), better.count(), compared.count())
        };
        Ok(Judged {
            arms: experiment.keys().into_iter().map(of_arm).collect(),
            equal: judgements.iter().filter(|judgement| judgement.better.is_none()).count(),
            people: judgements.iter().map(|judgement| &judgement.by).collect::<BTreeSet<_>>().len(),
        })
    }

    /// What each arm answered when its version was last measured.
    async fn answers(&self, experiment: &Experiment) -> Result<Answers> {
        let mut answers = Answers { by_case: BTreeMap::new(), measured: None };
        for (at, arm) in experiment.arms.iter().enumerate() {
            let state = self.store.version_state(experiment.prompt_id, arm.version.number).await?;
            let Some(measured) = state.and_then(|state| state.measured) else { continue };
            for case in self.store.all_case_results(measured.eval_run_id).await? {
                if let (Some(output), true) = (case.output, case.outcome != CaseOutcome::Errored) {
                    answers.by_case.entry(case.case_id).or_default().insert(at, output);
                }
            }
            answers.measured = Some(measured);
        }
        Ok(answers)
    }

    async fn question(&self, caller: &Caller, answers: &Answers, case: &str) -> Result<Option<String>> {
        let Some(measured) = answers.measured else { return Ok(None) };
        let lines = match self.cases(caller, measured.test_set_id, Some(measured.test_set_version)).await {
            Ok(lines) => lines,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let lines = String::from_utf8_lossy(&lines);
        let read = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok();
        let found = lines.lines().filter_map(read).find(|line| line["case_id"] == case);
        Ok(found.and_then(|line| serde_json::to_string_pretty(&line["vars"]).ok()))
    }
}

/// What everything about a pair is drawn by.
fn lot(experiment: ExperimentId, by: &str, case: &str) -> [u8; 32] {
    let digest = Sha256::new_with_prefix(experiment.to_bytes());
    digest.chain_update([0]).chain_update(by).chain_update([0]).chain_update(case).finalize().into()
}

/// The two arms that are compared, the left one first; `None` where all answered the same.
fn sides(answers: &BTreeMap<usize, String>, lot: [u8; 32]) -> Option<[usize; 2]> {
    let arms: Vec<usize> = answers.keys().copied().collect();
    let pairs = arms.iter().enumerate().flat_map(|(at, a)| arms[at + 1..].iter().map(move |b| [*a, *b]));
    let differ: Vec<[usize; 2]> = pairs.filter(|[a, b]| answers[a] != answers[b]).collect();
    let [first, second, ..] = lot;
    let [a, b] = *differ.get(usize::from(first) % differ.len().max(1))?;
    Some(if second % 2 == 0 { [a, b] } else { [b, a] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(texts: &[&str]) -> BTreeMap<usize, String> {
        texts.iter().map(|text| (*text).to_owned()).enumerate().collect()
    }

    #[test]
    fn only_different_answers_are_compared_and_either_side_comes() {
        assert_eq!(sides(&answers(&["a", "a"]), [0; 32]), None);
        assert_eq!(sides(&answers(&["a"]), [0; 32]), None);
        let of =
            |second| sides(&answers(&["a", "b"]), [&[0, second][..], &[0; 30]].concat().try_into().unwrap());
        assert_eq!((of(0), of(1)), (Some([0, 1]), Some([1, 0])));
        let [a, b] = sides(&answers(&["a", "a", "b"]), [1; 32]).unwrap();
        assert!(a == 2 || b == 2);
    }

    #[test]
    fn people_see_cases_in_orders_of_their_own() {
        let id = ExperimentId::from_bytes([1; 16]);
        assert_ne!(lot(id, "key_a", "c1"), lot(id, "key_b", "c1"));
        assert_eq!(lot(id, "key_a", "c1"), lot(id, "key_a", "c1"));
    }
}
