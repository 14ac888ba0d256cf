//! What a source file must not say.

use std::collections::BTreeSet;

use regex::Regex;

use crate::tree::{File, files, holds};

/// The one file that spells the keys of the tables.
const KEYS: &str = "shared/store/src/keys.rs";

/// Something that a source must not say.
struct Ban {
    pattern: &'static str,
    /// The beginning of the paths in which it is banned.
    within: &'static str,
    /// The beginnings of the paths in which it is not.
    except: &'static [&'static str],
    instead: &'static str,
}

const ENVIRONMENT: Ban = Ban {
    pattern: r"\benv::(vars?|vars?_os|set_var|remove_var)\b|\benv::\{[^}]*\b(vars?|vars?_os)\b",
    within: "",
    except: &["shared/runtime/src/"],
    instead: "`runtime` is the only reader of the environment",
};

const PURE_DOMAIN: Ban = Ban {
    pattern: concat!(
        r"\b(SystemTime|now_utc|RandomState|getrandom)\b|\b(Instant|rand)::",
        r"|\bstd::(fs|net|process|env)\b|\basync (fn|move)\b"
    ),
    within: "shared/domain/src/",
    except: &[],
    instead: "`domain` does no I/O; time and randomness are passed in as `Sources`",
};

const REF_MOVES: Ban = Ban {
    pattern: r"\bput_ref\b",
    within: "",
    // Experiments have no use cases yet: the tests of what resolve makes of them write what these will write.
    except: &["shared/release/src/", "shared/store/src/", "tests/resolving/trials.rs"],
    instead: "whoever moves a ref goes through `release`",
};

const AWS_AGAIN: Ban = Ban {
    pattern: r"\bpub(\([^)]*\))? use (::)?aws_",
    within: "",
    except: &[],
    instead: "AWS types stay where they are used; a package that needs them depends on them",
};

const LEFT_UNDONE: Ban = Ban {
    pattern: r"#!?\[\s*(allow|ignore|cfg_attr\([^\]]*\b(allow|ignore))\b|\b(todo|unimplemented)!|```\S*\bignore\b",
    within: "",
    except: &[],
    instead: "use `expect` with a reason, assert what is so, or finish it",
};

const BLOCKING_SLEEP: Ban = Ban {
    pattern: r"\bthread::(sleep\b|\{[^}]*\bsleep\b)",
    within: "",
    // The thread that says when requests are due has no tasks, and tokio's clock is too coarse for it.
    except: &["tests/benches/src/bin/bench_load/arrivals.rs"],
    instead: "it blocks every task of its thread: await a condition or `tokio::time::sleep`",
};

fn said(files: &[File], ban: &Ban) -> Vec<String> {
    let pattern = Regex::new(ban.pattern).unwrap();
    let banned = |file: &&File| {
        let path = &file.path;
        file.has_extension("rs")
            && path.starts_with(ban.within)
            && !ban.except.iter().any(|home| path.starts_with(home))
    };
    let found = files
        .iter()
        .filter(banned)
        .flat_map(|file| pattern.find_iter(&file.text).map(move |hit| (file, hit)));
    found
        .map(|(file, hit)| format!("{}: `{}`: {}", file.place(hit.start()), hit.as_str(), ban.instead))
        .collect()
}

/// The beginnings of keys that [`KEYS`] spells.
fn key_prefixes(keys: &str) -> BTreeSet<&str> {
    let prefix = Regex::new("\"([A-Z]+#)").unwrap();
    prefix.captures_iter(keys).map(|found| found.get(1).unwrap().as_str()).collect()
}

fn keys_elsewhere(files: &[File], prefixes: &BTreeSet<&str>) -> Vec<String> {
    let prefixes: Vec<_> = prefixes.iter().copied().collect();
    let pattern = Regex::new(&format!(r"\b({})", prefixes.join("|"))).unwrap();
    let others = files.iter().filter(|file| file.has_extension("rs") && file.path != KEYS);
    let found = others.flat_map(|file| pattern.find_iter(&file.text).map(move |hit| (file, hit)));
    found
        .map(|(file, hit)| {
            format!("{}: `{}` is spelt in {KEYS} alone", file.place(hit.start()), hit.as_str())
        })
        .collect()
}

#[test]
fn keys_of_the_tables_are_spelt_in_one_file() {
    let keys = files().iter().find(|file| file.path == KEYS).unwrap();
    let prefixes = key_prefixes(&keys.text);
    assert!(prefixes.len() > 9, "{KEYS} spells keys in another way now: {prefixes:?}");
    holds(&keys_elsewhere(files(), &prefixes));
}

#[test]
fn only_runtime_reads_the_environment() {
    holds(&said(files(), &ENVIRONMENT));
}

#[test]
fn domain_does_no_io_and_reads_no_clock_and_no_randomness() {
    holds(&said(files(), &PURE_DOMAIN));
}

#[test]
fn only_release_moves_refs() {
    holds(&said(files(), &REF_MOVES));
}

#[test]
fn no_package_hands_on_aws_types() {
    holds(&said(files(), &AWS_AGAIN));
}

#[test]
fn no_lint_is_allowed_no_test_ignored_and_nothing_left_to_do() {
    holds(&said(files(), &LEFT_UNDONE));
}

#[test]
fn nothing_blocks_a_thread_by_sleeping() {
    holds(&said(files(), &BLOCKING_SLEEP));
}

/// The bad texts are put together here: written out they would be violations themselves.
mod a_violation_is_found {
    use super::*;

    fn found(ban: &Ban, path: &str, texts: &[String]) -> usize {
        texts.iter().map(|text| said(&[File::new(path, text)], ban).len().min(1)).sum()
    }

    fn joined(texts: &[[&str; 2]]) -> Vec<String> {
        texts.iter().map(|parts| parts.concat()).collect()
    }

    #[test]
    fn in_reading_the_environment() {
        let bad = joined(&[
            ["env::", "var(\"A\")"],
            ["use std::env::", "{self, var}"],
            ["std::env::", "vars_os()"],
        ]);
        assert_eq!(found(&ENVIRONMENT, "shared/testkit/src/a.rs", &bad), bad.len());
        assert_eq!(found(&ENVIRONMENT, "shared/runtime/src/a.rs", &bad), 0);
        assert_eq!(found(&ENVIRONMENT, "tests/a.rs", &["env!(\"A\"); std::env::temp_dir()".to_owned()]), 0);
    }

    #[test]
    fn in_domain() {
        let bad = ["SystemTime::now()", "Instant::now()", "use std::fs;", "rand::rng()", "async fn f() {}"]
            .map(str::to_owned);
        assert_eq!(found(&PURE_DOMAIN, "shared/domain/src/a.rs", &bad), bad.len());
        assert_eq!(found(&PURE_DOMAIN, "shared/runtime/src/a.rs", &bad), 0);
    }

    #[test]
    fn in_moving_refs() {
        let bad = joined(&[["change.put", "_ref(&after)"], ["Change::put", "_ref"]]);
        assert_eq!(found(&REF_MOVES, "shared/registry/src/a.rs", &bad), bad.len());
        assert_eq!(found(&REF_MOVES, "shared/release/src/a.rs", &bad), 0);
    }

    #[test]
    fn in_handing_on_aws() {
        let bad = joined(&[["pub use ", "aws_sdk_s3;"], ["pub(crate) use ", "aws_sdk_s3::Client;"]]);
        assert_eq!(found(&AWS_AGAIN, "shared/store/src/a.rs", &bad), bad.len());
        assert_eq!(found(&AWS_AGAIN, "shared/store/src/a.rs", &["use aws_sdk_s3::Client;".to_owned()]), 0);
    }

    #[test]
    fn in_what_is_left_undone() {
        let bad = joined(&[
            ["#[", "allow(dead_code)]"],
            ["#![", "allow(dead_code)]"],
            ["#[", "cfg_attr(test, allow(dead_code))]"],
            ["#[", "ignore = \"slow\"]"],
            ["todo", "!()"],
            ["/// ```", "rust,ignore"],
        ]);
        assert_eq!(found(&LEFT_UNDONE, "a.rs", &bad), bad.len());
        assert_eq!(found(&LEFT_UNDONE, "a.rs", &["#[expect(dead_code, reason = \"why\")]".to_owned()]), 0);
    }

    #[test]
    fn in_blocking() {
        let bad = joined(&[["std::thread::sl", "eep(time)"], ["use std::thread::", "{self, sleep};"]]);
        assert_eq!(found(&BLOCKING_SLEEP, "a.rs", &bad), bad.len());
    }

    #[test]
    fn in_keys() {
        let bad = ["format!(\"PROMPT", "#{id}\") \"VER", "#\""].concat();
        let prefixes = key_prefixes(&bad);
        assert_eq!(keys_elsewhere(&[File::new("a.rs", &bad)], &prefixes).len(), 2);
        assert_eq!(
            keys_elsewhere(&[File::new(KEYS, &bad), File::new("a.rs", "SERVER# PROMPT")], &prefixes),
            [""; 0]
        );
    }
}
