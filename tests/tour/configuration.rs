//! The README's table of environment variables is complete and true.

use std::{collections::BTreeSet, fs};

use regex::Regex;

use crate::{readme, root};

const SOURCE: &str = "shared/runtime/src/configuration.rs";

fn found<'a>(pattern: &str, text: &'a str) -> BTreeSet<&'a str> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found.get(1).unwrap().as_str()).collect()
}

#[test]
fn the_readme_lists_every_variable_that_is_read_and_no_other() {
    let (readme, source) = (readme(), fs::read_to_string(root().join(SOURCE)).unwrap());
    let read = found(r#"(?m)^    pub const \w+: &str = "(\w+)";$"#, &source);
    assert!(read.len() > 5, "{SOURCE} spells names in another way now: {read:?}");
    assert_eq!(found(r"(?m)^\| `((?:AWS|CUECARD)_\w+)` \|", &readme), read);
}
