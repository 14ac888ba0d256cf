//! The README's table of environment variables is complete and true.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

use crate::{readme, root};

const SOURCE: &str = "shared/runtime/src/configuration/name.rs";

/// Where the command line has its arguments, which say their variables.
const COMMAND_LINE: &str = "cli/src";

fn found(pattern: &str, text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn the_readme_lists_every_variable_that_is_read_and_no_other() {
    let (readme, source) = (readme(), fs::read_to_string(root().join(SOURCE)).unwrap());
    let mut read = found(r#"(?m)^pub const \w+: &str = "(\w+)";$"#, &source);
    assert!(read.len() > 5, "{SOURCE} spells names in another way now: {read:?}");
    let arguments =
        sources(&root().join(COMMAND_LINE)).into_iter().map(|path| fs::read_to_string(path).unwrap());
    let named: BTreeSet<_> = arguments.flat_map(|text| found(r#"\benv = "(CUECARD_\w+)""#, &text)).collect();
    assert!(named.len() > 3, "{COMMAND_LINE} spells names in another way now: {named:?}");
    read.extend(named);
    assert_eq!(found(r"(?m)^\| `((?:AWS|CUECARD)_\w+)` \|", &readme), read);
}
