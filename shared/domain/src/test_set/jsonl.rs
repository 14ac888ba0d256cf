//! Reading a whole test set: JSON Lines, one case on each line that is not blank.

use super::intake::{Intake, require_size};
use crate::Result;

/// A test set whose every case has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedTestSet {
    /// The cases, in their order.
    pub cases: Vec<CaseRange>,
    /// SHA-256 of all bytes, as lower-case hex.
    pub sha256: String,
}

/// Where a case stands in the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRange {
    /// Its name.
    pub case_id: String,
    /// Its first byte.
    pub offset: usize,
    /// How many bytes it has.
    pub length: usize,
}

/// A line that holds a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseLine<'a> {
    /// Its number in the file, from 1; blank lines count.
    pub line: usize,
    /// Its first byte.
    pub offset: usize,
    /// The case, without the white space around it.
    pub bytes: &'a [u8],
}

/// The lines that hold cases, unread. On a stored test set their positions are the case numbers.
pub fn case_lines(bytes: &[u8]) -> impl Iterator<Item = CaseLine<'_>> {
    let mut next = 0;
    bytes.split(|&byte| byte == b'\n').enumerate().filter_map(move |(index, line)| {
        let start = next;
        next += line.len() + 1;
        // Some editors put a byte order mark in front of the first line.
        let text = if index == 0 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let body = text.trim_ascii_start();
        let offset = start + line.len() - body.len();
        let bytes = body.trim_ascii_end();
        (!bytes.is_empty()).then_some(CaseLine { line: index + 1, offset, bytes })
    })
}

/// Reads and checks a test set. All bad lines are reported together, by their numbers.
///
/// The bytes are stored as they are: the ranges of the answer point into them.
pub fn parse_jsonl(bytes: &[u8]) -> Result<ParsedTestSet> {
    require_size(bytes.len())?;
    let mut intake = Intake::default();
    for CaseLine { line, offset, bytes } in case_lines(bytes) {
        intake.next()?;
        let problem = intake.case(line, offset, bytes).err().map(|detail| (line, detail));
        intake.problems(problem);
    }
    intake.finish(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::{
        ErrorKind,
        test_set::{MAX_CASES, MAX_TEST_SET_BYTES},
    };

    #[test]
    fn ranges_point_at_the_cases_in_the_very_bytes() {
        let bytes = b"\xef\xbb\xbf {\"vars\":{},\"expected\":\"a\"}\r\n\r\n\n\t{\"case_id\":\"b\",\"vars\":{},\"expected\":\"b\"} ";
        let parsed = parse_jsonl(bytes).unwrap();
        let read: Vec<(String, &[u8])> = parsed
            .cases
            .iter()
            .map(|case| (case.case_id.clone(), &bytes[case.offset..case.offset + case.length]))
            .collect();
        assert_eq!(
            read,
            [
                ("case-00001".to_owned(), b"{\"vars\":{},\"expected\":\"a\"}".as_slice()),
                ("b".to_owned(), b"{\"case_id\":\"b\",\"vars\":{},\"expected\":\"b\"}".as_slice()),
            ]
        );
        assert_eq!(parsed.sha256, hex::encode(Sha256::digest(bytes)));
    }

    #[test]
    fn all_bad_lines_are_reported_together() {
        let text = "{\"case_id\":\"case-00002\",\"vars\":{},\"expected\":\"a\"}\n\nnot json\n\
                    {\"vars\":{},\"expected\":\"a\"}\n{\"vars\":{},\"assert\":[{\"type\":\"ruby\"}]}\n\
                    {\"case_id\":\"case-00002\",\"vars\":{},\"expected\":\"a\"}\n";
        let error = parse_jsonl(text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let problems: Vec<(&str, &str)> = error
            .problems()
            .iter()
            .map(|problem| (problem.pointer.as_str(), problem.detail.as_str()))
            .collect();
        assert_eq!(problems[0], ("/3", "line 3: expected ident at column 2"));
        assert!(problems[1].1.starts_with("line 5: assert 1: `ruby` runs code"));
        assert_eq!(problems[2], ("/6", "line 6: the case id `case-00002` is already that of line 1"));
        assert_eq!(problems.len(), 3);
        assert!(error.detail().starts_with("3 lines are wrong, the first of them line 3"));
    }

    #[test]
    fn a_made_name_may_not_collide_either() {
        let text =
            "{\"case_id\":\"case-00002\",\"vars\":{},\"expected\":\"a\"}\n{\"vars\":{},\"expected\":\"a\"}";
        let error = parse_jsonl(text.as_bytes()).unwrap_err();
        assert!(error.detail().contains("`case-00002` is already that of line 1"), "{error}");
    }

    #[test]
    fn a_hundred_bad_lines_are_named_and_the_rest_counted() {
        let error = parse_jsonl("{}\n".repeat(137).as_bytes()).unwrap_err();
        assert_eq!(error.problems().len(), 100);
        assert!(error.detail().contains("137 lines") && error.detail().contains("37 more"), "{error}");
    }

    #[test]
    fn the_limits_hold() {
        let case = "{\"vars\":{},\"expected\":\"a\"}\n";
        assert_eq!(parse_jsonl(case.repeat(MAX_CASES).as_bytes()).unwrap().cases.len(), MAX_CASES);
        assert!(
            parse_jsonl(case.repeat(MAX_CASES + 1).as_bytes()).unwrap_err().detail().contains("10000 cases")
        );
        assert!(parse_jsonl(b" \n\r\n").unwrap_err().detail().contains("empty"));
        assert!(parse_jsonl(&vec![b' '; MAX_TEST_SET_BYTES + 1]).unwrap_err().detail().contains("bytes"));
    }

    proptest! {
        #[test]
        fn lines_are_found_where_they_stand(text in "[ \r\n\ta{}\u{e9}]{0,60}") {
            let found: Vec<CaseLine> = case_lines(text.as_bytes()).collect();
            for line in &found {
                prop_assert_eq!(&text.as_bytes()[line.offset..line.offset + line.bytes.len()], line.bytes);
            }
            let expected: Vec<(usize, &str)> = text.split('\n').enumerate()
                .map(|(index, line)| (index + 1, line.trim_ascii()))
                .filter(|(_, line)| !line.is_empty())
                .collect();
            let found: Vec<(usize, &str)> =
                found.iter().map(|line| (line.line, std::str::from_utf8(line.bytes).unwrap())).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
