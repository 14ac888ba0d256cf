//! What comes from elsewhere: under which licences, and from where. The licences stand in `deny.toml`, which
//! `make deny` reads too, beside advisories that have to be fetched. What `make fuzz` takes in is of the same
//! packages, save those that feed our code with inputs. Nobody looks at the licences of these, for they are in no
//! program that anybody takes.

use std::{collections::BTreeSet, env::consts::ARCH};

use cargo_metadata::MetadataCommand;

use crate::tree::{files, holds, root};

/// What feeds our code with inputs, for `make fuzz` alone.
const FUZZERS: [&str; 2] = ["arbitrary", "libfuzzer-sys"];

/// A package of others.
struct Package {
    name: String,
    licence: Option<String>,
    from_crates_io: bool,
}

/// All that this machine's build takes in, the tests' own included.
fn packages() -> Vec<Package> {
    let platform = format!("{ARCH}-unknown-linux-gnu");
    let options = ["--locked", "--filter-platform", &platform].map(str::to_owned);
    let metadata = MetadataCommand::new().current_dir(root()).other_options(options).exec().unwrap();
    let others = metadata.packages.into_iter().filter(|package| package.source.is_some());
    let read = |package: cargo_metadata::Package| Package {
        name: format!("{} {}", package.name, package.version),
        licence: package.license,
        from_crates_io: package.source.is_some_and(|source| source.is_crates_io()),
    };
    others.map(read).collect()
}

/// The texts of the list `allow` in `deny.toml`.
fn allowed(deny: &str) -> Vec<&str> {
    let list = deny.split_once("\nallow = [").and_then(|(_, rest)| rest.split_once(']'));
    list.unwrap()
        .0
        .split(',')
        .map(|entry| entry.trim().trim_matches('"'))
        .filter(|entry| !entry.is_empty())
        .collect()
}

/// An expression of licences (SPDX): alternatives, each of parts that all bind.
struct Expression<'a>(Vec<&'a str>);

impl<'a> Expression<'a> {
    fn of(text: &'a str) -> Self {
        // A slash is how licences were joined before there were expressions.
        let words = text.split_inclusive(['(', ')', '/', ' ']).flat_map(|part| {
            let cut = part.len() - usize::from(part.ends_with(['(', ')', '/', ' ']));
            [part[..cut].trim(), part[cut..].trim()]
        });
        Self(words.filter(|word| !word.is_empty()).rev().collect())
    }

    fn next_is(&mut self, wanted: &[&str]) -> bool {
        let is = self.0.last().is_some_and(|word| wanted.contains(word));
        if is {
            self.0.pop();
        }
        is
    }

    fn any(&mut self, allowed: &[&str]) -> bool {
        let mut met = self.all(allowed);
        while self.next_is(&["OR", "/"]) {
            met |= self.all(allowed);
        }
        met
    }

    fn all(&mut self, allowed: &[&str]) -> bool {
        let mut met = self.one(allowed);
        while self.next_is(&["AND"]) {
            met &= self.one(allowed);
        }
        met
    }

    fn one(&mut self, allowed: &[&str]) -> bool {
        if self.next_is(&["("]) {
            let met = self.any(allowed);
            return self.next_is(&[")"]) && met;
        }
        let Some(licence) = self.0.pop() else { return false };
        if self.next_is(&["WITH"]) {
            let exception = self.0.pop().unwrap_or_default();
            return allowed.contains(&format!("{licence} WITH {exception}").as_str());
        }
        allowed.contains(&licence)
    }

    /// Whether it can be met by these licences alone.
    fn met_by(mut self, allowed: &[&str]) -> bool {
        self.any(allowed) && self.0.is_empty()
    }
}

fn not_allowed(packages: &[Package], allowed: &[&str]) -> Vec<String> {
    let refused = packages.iter().filter(|package| {
        !package.licence.as_deref().is_some_and(|text| Expression::of(text).met_by(allowed))
    });
    refused.map(|package| format!("{}: {:?} is not allowed", package.name, package.licence)).collect()
}

fn from_elsewhere(packages: &[Package]) -> Vec<String> {
    let elsewhere = packages.iter().filter(|package| !package.from_crates_io);
    elsewhere.map(|package| format!("{} comes from no registry that all can reach", package.name)).collect()
}

/// The name, version and source of each package of others that a lock file holds.
fn locked(lock: &str) -> BTreeSet<[&str; 3]> {
    let packages = lock.split("[[package]]\n").skip(1).map(|package| {
        ["name = ", "version = ", "source = "].map(|member| {
            package.lines().find_map(|line| line.strip_prefix(member)).unwrap_or_default().trim_matches('"')
        })
    });
    packages.filter(|[_, _, source]| !source.is_empty()).collect()
}

fn fuzzed_alone(root: &str, fuzz: &str) -> Vec<String> {
    let known = locked(root);
    let alone = locked(fuzz).into_iter().filter(|package| !known.contains(package));
    let alone = alone.filter(|[name, ..]| !FUZZERS.contains(name));
    alone.map(|[name, version, _]| format!("fuzz takes in {name} {version}, and nothing else does")).collect()
}

#[test]
fn what_comes_from_elsewhere_is_under_licences_that_deny_toml_allows() {
    let deny = files().iter().find(|file| file.path == "deny.toml").unwrap();
    let packages = packages();
    assert!(packages.len() > 100, "the build takes in {}", packages.len());
    holds(&not_allowed(&packages, &allowed(&deny.text)));
    holds(&from_elsewhere(&packages));
}

#[test]
fn fuzz_takes_in_what_the_tree_does_beside_what_feeds_it() {
    let lock = |path: &str| &files().iter().find(|file| file.path == path).unwrap().text;
    let (root, fuzz) = (lock("Cargo.lock"), lock("fuzz/Cargo.lock"));
    assert!(locked(fuzz).len() > 100, "fuzz takes in {}", locked(fuzz).len());
    holds(&fuzzed_alone(root, fuzz));
}

mod a_violation_is_found {
    use super::*;

    fn of(licence: Option<&str>, from_crates_io: bool) -> Package {
        Package { name: "a 1.0.0".to_owned(), licence: licence.map(str::to_owned), from_crates_io }
    }

    #[test]
    fn in_licences() {
        let allowed = allowed(
            "[licenses]\nallow = [\n  \"MIT\",\n  \"Apache-2.0 WITH LLVM-exception\",\n  \"ISC\",\n]\n",
        );
        assert_eq!(allowed, ["MIT", "Apache-2.0 WITH LLVM-exception", "ISC"]);
        let good = [
            "MIT",
            "MIT OR GPL-3.0-only",
            "GPL-2.0/MIT",
            "GPL-2.0 / MIT",
            "MIT AND (GPL-3.0-only OR ISC)",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ];
        assert_eq!(not_allowed(&good.map(|licence| of(Some(licence), true)), &allowed), [""; 0]);
        let bad = [
            "GPL-3.0-only",
            "AGPL-3.0",
            "MIT AND GPL-3.0-only",
            "MIT AND (GPL-3.0-only OR LGPL-2.1)",
            "(MIT AND GPL-3.0-only) OR AGPL-3.0",
            "Apache-2.0",
            "MIT WITH Bison-exception-2.2",
            "(MIT",
            "MIT ISC",
            "",
        ];
        assert_eq!(not_allowed(&bad.map(|licence| of(Some(licence), true)), &allowed).len(), bad.len());
        assert_eq!(not_allowed(&[of(None, true)], &allowed).len(), 1);
    }

    #[test]
    fn in_sources() {
        assert_eq!(from_elsewhere(&[of(Some("MIT"), true)]), [""; 0]);
        assert_eq!(from_elsewhere(&[of(Some("MIT"), false)]).len(), 1);
    }

    #[test]
    fn in_what_fuzz_takes_in() {
        let of = |name: &str, version: &str| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry\"\n\n")
        };
        let root = of("a", "1.0.0") + &of("b", "1.0.0");
        let ours = "[[package]]\nname = \"fuzz\"\nversion = \"0.1.0\"\n";
        assert_eq!(fuzzed_alone(&root, &(of("a", "1.0.0") + &of("arbitrary", "1.0.0") + ours)), [""; 0]);
        let bad = of("a", "1.0.1") + &of("newcomer", "1.0.0");
        assert_eq!(fuzzed_alone(&root, &bad).len(), 2);
    }
}
