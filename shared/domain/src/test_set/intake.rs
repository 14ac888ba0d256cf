//! What all formats share: cases are taken in one by one, and what is wrong with them is reported together.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{Case, CaseRange, MAX_CASES, MAX_TEST_SET_BYTES, ParsedTestSet};
use crate::{Error, ErrorKind, Result};

/// How many bad lines an error names; it counts the rest.
const MAX_PROBLEMS: usize = 100;

/// A line of the file and what is wrong there.
pub(super) type Problem = (usize, String);

/// Cases on their way into a test set.
#[derive(Default)]
pub(super) struct Intake {
    taken: usize,
    cases: Vec<CaseRange>,
    first_uses: HashMap<String, usize>,
    /// With the order in which they were met. A line that goes into several cases is wrong in each of them, and
    /// is noted once.
    problems: HashMap<Problem, usize>,
}

impl Intake {
    /// Makes room for one more case, whether it turns out right or wrong.
    pub(super) fn next(&mut self) -> Result<()> {
        self.taken += 1;
        if self.taken > MAX_CASES {
            return Err(Error::invalid("", format!("A test set has at most {MAX_CASES} cases.")));
        }
        Ok(())
    }

    /// Reads the case that [`Self::next`] announced. `bytes` stand at `offset` of what will be stored; `line`
    /// is where the author finds the case. Says what is wrong with it.
    pub(super) fn case(&mut self, line: usize, offset: usize, bytes: &[u8]) -> Result<(), String> {
        let Case { case_id, .. } = Case::read(bytes, self.taken)?;
        if let Some(first) = self.first_uses.get(&case_id) {
            return Err(format!("the case id `{case_id}` is already that of line {first}"));
        }
        self.first_uses.insert(case_id.clone(), line);
        self.cases.push(CaseRange { case_id, offset, length: bytes.len() });
        Ok(())
    }

    /// Notes what is wrong.
    pub(super) fn problems(&mut self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            let order = self.problems.len();
            self.problems.entry(problem).or_insert(order);
        }
    }

    /// The test set whose bytes these are, unless something was wrong.
    pub(super) fn finish(self, bytes: &[u8]) -> Result<ParsedTestSet> {
        if self.taken == 0 && self.problems.is_empty() {
            return Err(Error::invalid("", "The test set is empty: it needs at least one case."));
        }
        if self.problems.is_empty() {
            return Ok(ParsedTestSet { cases: self.cases, sha256: hex::encode(Sha256::digest(bytes)) });
        }
        let mut problems: Vec<(Problem, usize)> = self.problems.into_iter().collect();
        problems.sort_by_key(|((line, _), order)| (*line, *order));
        Err(refuse(&problems.into_iter().map(|(problem, _)| problem).collect::<Vec<_>>()))
    }
}

/// Refuses more bytes than a test set has.
pub(super) fn require_size(bytes: usize) -> Result<()> {
    if bytes > MAX_TEST_SET_BYTES {
        return Err(Error::invalid("", format!("A test set has at most {MAX_TEST_SET_BYTES} bytes.")));
    }
    Ok(())
}

/// One error for all bad lines; the pointer of each is its line number.
fn refuse(problems: &[Problem]) -> Error {
    let (first, detail) = (problems[0].0, &problems[0].1);
    let named = problems.len().min(MAX_PROBLEMS);
    let summary = match problems.len() {
        1 => format!("Line {first}: {detail}. Nothing is stored."),
        all if all > named => format!(
            "{all} lines are wrong, the first of them line {first}: {detail}. The first {named} are in errors, \
             {} more are not. Nothing is stored.",
            all - named
        ),
        all => format!(
            "{all} lines are wrong, the first of them line {first}: {detail}. All are in errors. Nothing is stored."
        ),
    };
    problems.iter().take(named).fold(Error::new(ErrorKind::Invalid, summary), |error, (line, detail)| {
        error.at(format!("/{line}"), format!("line {line}: {detail}"))
    })
}
