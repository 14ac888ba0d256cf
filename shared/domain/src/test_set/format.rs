//! The formats of a test set, and the one in which all are stored.

use std::borrow::Cow;

use super::{
    CaseDocument, MAX_CASE_BYTES, ParsedTestSet,
    assertions::fault,
    intake::{Intake, Problem, require_size},
    node::Node,
    parse_jsonl, promptfoo, table,
    test::Test,
};
use crate::{Error, Result, assertion::require_few};

/// How a test set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON Lines: one case on each line.
    Jsonl,
    /// A table: one case in each row, with promptfoo's names of columns.
    Csv,
    /// promptfoo's YAML: a list of tests, or a config with `tests`.
    Promptfoo,
}

/// A test set of any format, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The canonical form, JSON Lines, that is stored; of JSON Lines the very bytes.
    pub jsonl: Cow<'a, [u8]>,
    /// Its cases, as ranges of `jsonl`, and its hash.
    pub test_set: ParsedTestSet,
}

/// Reads and checks a test set. All that is wrong is reported together, by lines of the file as it was
/// written.
pub fn parse(format: Format, bytes: &[u8]) -> Result<Parsed<'_>> {
    require_size(bytes.len())?;
    match format {
        Format::Jsonl => Ok(Parsed { jsonl: Cow::Borrowed(bytes), test_set: parse_jsonl(bytes)? }),
        Format::Csv => import(table::tests(text(bytes)?)),
        Format::Promptfoo => import(promptfoo::tests(text(bytes)?)),
    }
}

/// The text, without the byte order mark that some editors put in front.
fn text(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|&byte| byte == b'\n').count();
        let detail = format!("line {line}: the file is not UTF-8 here; save it as UTF-8");
        Error::invalid(format!("/{line}"), detail)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Makes cases of tests.
fn import(tests: impl Iterator<Item = Result<Node, Problem>>) -> Result<Parsed<'static>> {
    let mut import = Import::default();
    for test in tests {
        let mut room = MAX_CASE_BYTES;
        let read = test.and_then(|test| Test::read(&test, &mut room));
        import.spend(room)?;
        match read {
            Ok(test) => import.cases(&test, room)?,
            Err(problem) => {
                import.intake.next()?;
                import.intake.problems([problem]);
            }
        }
    }
    let test_set = import.intake.finish(&import.jsonl)?;
    Ok(Parsed { jsonl: Cow::Owned(import.jsonl), test_set })
}

#[derive(Default)]
struct Import {
    intake: Intake,
    jsonl: Vec<u8>,
    /// The bytes built so far, also for what was refused. Merged defaults make more of them than the file
    /// has.
    spent: usize,
}

impl Import {
    fn spend(&mut self, room: usize) -> Result<()> {
        self.spent += MAX_CASE_BYTES - room;
        require_size(self.spent)
    }

    /// Takes in the cases of a test, up to one that is wrong; `room` is what the test left of each case's
    /// bytes.
    fn cases(&mut self, test: &Test, room: usize) -> Result<()> {
        for index in 0..test.count {
            self.intake.next()?;
            let mut left = room;
            let case = test.case(index, &mut left);
            self.spend(left)?;
            let problems = match case {
                Ok((document, asserts)) => self.store(test, &document, &asserts)?,
                Err(problem) => vec![problem],
            };
            if !problems.is_empty() {
                self.intake.problems(problems);
                break;
            }
        }
        Ok(())
    }

    /// Appends a case. Says what is wrong with it: its assertions by their own lines.
    fn store(&mut self, test: &Test, document: &CaseDocument, asserts: &[Node]) -> Result<Vec<Problem>> {
        let json = serde_json::to_vec(document).map_err(Error::internal)?;
        let offset = self.jsonl.len();
        self.jsonl.extend_from_slice(&json);
        self.jsonl.push(b'\n');
        require_size(self.jsonl.len())?;
        Ok(match self.intake.case(test.place.line, offset, &json) {
            Ok(()) => Vec::new(),
            Err(detail) => {
                // Those that are too many are not tried one by one either.
                let tried = if require_few(&document.assert).is_ok() { asserts } else { &[] };
                let faults: Vec<Problem> = tried.iter().filter_map(fault).collect();
                if faults.is_empty() { vec![test.place.problem(detail)] } else { faults }
            }
        })
    }
}
