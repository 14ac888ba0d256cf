//! What an output must be: assertions with promptfoo's names and meaning, and the score of a case.
//!
//! Most checks score 0 or 1; measures of text and judges score between. `not-` turns passing round, and a
//! score into what is missing to 1. The case's score is the mean weighted by `weight`; without a `threshold`
//! on the case every assertion must pass, with one the score must reach it and nothing else counts. Weight 0
//! always passes but is shown. An `assert-set` is a case in small. `value` is literal: unlike promptfoo,
//! `{{name}}` in it is not replaced.
//!
//! Nothing here calls a model. [`Case::questions`] says what only a model can judge, the caller asks it, and
//! [`score`] takes the judgements. Outputs are untrusted: they are compared, never run or rendered, and the
//! work is bounded.

mod body;
mod check;
mod json;
pub mod judge;
mod list;
mod measure;
mod parse;
mod question;
mod refusal;
mod schema;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::question::{Ask, Judgement, Question, cosine};
use self::{check::Check, question::Asked};
pub(crate) use self::{
    list::split as split_list,
    parse::{parse_all, require_few},
};
use crate::{Error, Result, money::Usd, test_set::Case};

/// The longest output that assertions look at, in bytes: with the limits on expressions and schemas this
/// bounds the work. A longer one fails each of them but `latency` and `cost`, and no model is asked about it.
pub const MAX_OUTPUT_BYTES: usize = 256 * 1024;

/// Room for the rounding of sums: 0.7 + 0.1 reaches a threshold of 0.8.
const ROUNDING: f64 = 1e-9;

/// How much of a text goes into a reason, in characters.
const SNIPPET_CHARS: usize = 100;

/// How much of a judge's reason is kept, in characters: a hundred of them fit into one stored result.
const JUDGED_CHARS: usize = 400;

/// What a model answered to a case, as far as assertions look at it.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// Its text.
    pub output: &'a str,
    /// How long it took, in milliseconds.
    pub latency_ms: u64,
    /// What it cost.
    pub cost_usd: Usd,
}

/// An assertion, ready to be checked.
#[derive(Debug)]
pub(crate) struct Assertion {
    /// Its type, with `not-` where it is negated.
    kind: String,
    negated: bool,
    weight: f64,
    metric: Option<String>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Check(Check),
    Asked(Asked),
    /// The members, none of them a set, and the score that they must reach together.
    Set(Vec<Assertion>, Option<f64>),
}

/// What a check finds, before `not-`.
#[derive(Debug)]
struct Finding {
    holds: bool,
    /// 0 to 1.
    score: f64,
    /// What was to be, after "expected the output to".
    expected: String,
    /// What is.
    got: String,
}

/// What came of one assertion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssertionResult {
    /// The assertion's type, with `not-` where it is negated.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name under which its score is reported.
    pub metric: Option<String>,
    /// Whether it holds; always, with weight 0.
    pub passed: bool,
    /// 0 to 1.
    pub score: f64,
    /// How much it counts.
    pub weight: f64,
    /// Why it failed, in words; of a judge, always its reason and the version of its prompt. Long texts are
    /// cut.
    pub reason: String,
    /// What came of the members of an `assert-set`, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Self>,
}

impl AssertionResult {
    /// Takes the words away: they quote what was judged.
    pub(crate) fn erase(&mut self) {
        self.reason.clear();
        self.members.iter_mut().for_each(Self::erase);
    }
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseScore {
    /// Whether the case holds.
    pub passed: bool,
    /// The weighted mean of the assertions' scores, 0 to 1; 0 when nothing has weight.
    pub score: f64,
    /// The assertions, in their order.
    pub results: Vec<AssertionResult>,
}

impl Case {
    /// What only a model can judge of this output. Nothing is asked about an output that fails without it.
    pub fn questions(&self, output: &str) -> Vec<Question> {
        let leaves = self.assertions().iter().flat_map(Assertion::leaves);
        let asked = leaves.enumerate().filter_map(|(at, assertion)| match &assertion.body {
            Body::Asked(asked) => Some((at, asked)),
            Body::Check(_) | Body::Set(..) => None,
        });
        asked
            .filter(|(_, asked)| asked.needs_judgement(output))
            .map(|(at, asked)| asked.question(at))
            .collect()
    }

    /// Whether the version of the judge's prompt has a part in the outcome.
    pub(crate) fn is_judged(&self) -> bool {
        let mut leaves = self.assertions().iter().flat_map(Assertion::leaves);
        leaves.any(|assertion| matches!(&assertion.body, Body::Asked(asked) if asked.is_judged()))
    }
}

impl Assertion {
    /// The assertion itself, or the members of a set.
    fn leaves(&self) -> &[Self] {
        match &self.body {
            Body::Set(members, _) => members,
            Body::Check(_) | Body::Asked(_) => std::slice::from_ref(self),
        }
    }

    fn result(
        &self,
        passed: bool,
        score: f64,
        reason: String,
        members: Vec<AssertionResult>,
    ) -> AssertionResult {
        AssertionResult {
            kind: self.kind.clone(),
            metric: self.metric.clone(),
            passed: passed || self.weight == 0.0,
            score,
            weight: self.weight,
            reason,
            members,
        }
    }
}

/// Judges an answer by the assertions of its case. `judgements` holds an answer to each of
/// [`Case::questions`], by its `at`; without one of them there is no score, because a case must not pass
/// unjudged.
pub fn score(
    case: &Case,
    answered: &Answered<'_>,
    judgements: &BTreeMap<usize, Judgement>,
) -> Result<CaseScore> {
    let results = Scoring { answered, judgements, next: 0 }.results(case.assertions())?;
    let (passed, score) = combine(&results, case.document.threshold);
    Ok(CaseScore { passed, score, results })
}

/// Whether results pass together, and their weighted mean.
fn combine(results: &[AssertionResult], threshold: Option<f64>) -> (bool, f64) {
    let weight: f64 = results.iter().map(|result| result.weight).sum();
    let weighted: f64 = results.iter().map(|result| result.score * result.weight).sum();
    let score = if weight > 0.0 { (weighted / weight).clamp(0.0, 1.0) } else { 0.0 };
    let passed = match threshold {
        Some(threshold) => reaches(score, threshold),
        None => results.iter().all(|result| result.passed),
    };
    (passed, score)
}

fn reaches(score: f64, threshold: f64) -> bool {
    score + ROUNDING >= threshold
}

/// A walk over the assertions in their flattened order.
struct Scoring<'a> {
    answered: &'a Answered<'a>,
    judgements: &'a BTreeMap<usize, Judgement>,
    /// The place of the next assertion that is not a set.
    next: usize,
}

impl Scoring<'_> {
    fn results(&mut self, assertions: &[Assertion]) -> Result<Vec<AssertionResult>> {
        assertions.iter().map(|assertion| self.result(assertion)).collect()
    }

    fn result(&mut self, assertion: &Assertion) -> Result<AssertionResult> {
        if let Body::Set(members, threshold) = &assertion.body {
            let members = self.results(members)?;
            let (passed, score) = combine(&members, *threshold);
            let reason = set_reason(passed, score, *threshold, &members);
            return Ok(assertion.result(passed, score, reason, members));
        }
        let at = self.next;
        self.next += 1;
        Ok(match self.finding(assertion, at)? {
            Err(unchecked) => assertion.result(false, 0.0, unchecked, Vec::new()),
            Ok(Finding { holds, score, expected, got }) => {
                let not = if assertion.negated { "not " } else { "" };
                let passed = holds != assertion.negated;
                let reason = match &assertion.body {
                    _ if !passed => format!("expected the output to {not}{expected}, got {got}"),
                    Body::Asked(asked) if asked.is_judged() => got,
                    _ => "as expected".to_owned(),
                };
                let score = if assertion.negated { 1.0 - score } else { score };
                assertion.result(passed, score, reason, Vec::new())
            }
        })
    }

    /// What is found; inside, why it cannot be checked, which fails an assertion and its negation.
    fn finding(&self, assertion: &Assertion, at: usize) -> Result<Result<Finding, String>> {
        let output = self.answered.output;
        match &assertion.body {
            Body::Check(check) if check.ignores_output() => Ok(check.find(self.answered)),
            _ if output.len() > MAX_OUTPUT_BYTES => {
                Ok(Err(format!("the output is longer than the {MAX_OUTPUT_BYTES} bytes that are checked")))
            }
            Body::Check(check) => Ok(check.find(self.answered)),
            Body::Asked(asked) => asked.find(output, self.judgements.get(&at)).map(Ok).map_err(|why| {
                Error::internal(format!(
                    "assertion {} of the flattened case, {}, {why}",
                    at + 1,
                    assertion.kind
                ))
            }),
            Body::Set(..) => Err(Error::internal("an assert-set holds an assert-set")),
        }
    }
}

fn set_reason(passed: bool, score: f64, threshold: Option<f64>, members: &[AssertionResult]) -> String {
    match threshold {
        _ if passed => "as expected".to_owned(),
        Some(threshold) => format!("the score of the set is {score:.2}, below its threshold of {threshold}"),
        None if members.len() == 1 => "the assertion failed".to_owned(),
        None => {
            let failed = members.iter().filter(|member| !member.passed).count();
            format!("{failed} of the {} assertions failed", members.len())
        }
    }
}

fn quote(text: &str) -> String {
    format!("{:?}", snippet(text))
}

fn snippet(text: &str) -> String {
    cut(text, SNIPPET_CHARS)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
