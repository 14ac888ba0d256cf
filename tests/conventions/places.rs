//! Nothing in the tree is bound to the machine or the network on which it was written.

use regex::Regex;

use crate::tree::{File, files, holds};

/// The folder beside the checkout that holds the real data: all that is taken from outside the tree.
const OUTSIDE: &str = "shared/data";

/// A test of what an address may be needs a private one.
const PRIVATE_ON_PURPOSE: [&str; 1] = ["shared/domain/src/model.rs"];

fn machine_paths(file: &File) -> Vec<String> {
    let machine = Regex::new(r#"(?m)(?:^|[\s"'`(=:,\[])(/(?:work|root|home|Users|mnt)/)"#).unwrap();
    let found = machine.captures_iter(&file.text).map(|found| found.get(1).unwrap());
    found
        .map(|hit| format!("{}: `{}` is a path of one machine", file.place(hit.start()), hit.as_str()))
        .collect()
}

fn paths_outside(file: &File) -> Vec<String> {
    let climb = Regex::new(r"((?:\.\./)+)([\w./-]*)").unwrap();
    let depth = file.path.matches('/').count();
    let found = climb.captures_iter(&file.text).filter(|found| {
        let inside = found[1].len() / "../".len() <= depth;
        let rest = &found[2];
        let data = rest == OUTSIDE || rest.starts_with(&format!("{OUTSIDE}/"));
        !inside && !data
    });
    let found = found.map(|found| found.get(0).unwrap());
    found.map(|hit| format!("{}: `{}` is outside the tree", file.place(hit.start()), hit.as_str())).collect()
}

fn private_hosts(file: &File) -> Vec<String> {
    let private = concat!(
        r"://(?:[^\s/@]*@)?((?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d+)+",
        r"|[\w.-]+\.(?:corp|home|internal|intranet|lan|private))\b",
    );
    let found = Regex::new(private).unwrap();
    let found = found.captures_iter(&file.text).map(|found| found.get(1).unwrap());
    found
        .map(|hit| format!("{}: `{}` is a host of one network", file.place(hit.start()), hit.as_str()))
        .collect()
}

fn other_registries(lock: &str) -> Vec<String> {
    let sources = lock.lines().filter(|line| line.starts_with("source = "));
    let others =
        sources.filter(|line| *line != "source = \"registry+https://github.com/rust-lang/crates.io-index\"");
    others.map(|line| format!("Cargo.lock: {line} is not the public registry")).collect()
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    holds(&files().iter().flat_map(machine_paths).collect::<Vec<_>>());
}

#[test]
fn nothing_outside_the_tree_is_named_but_the_real_data() {
    holds(&files().iter().flat_map(paths_outside).collect::<Vec<_>>());
}

#[test]
fn no_file_names_a_private_host() {
    let others = files().iter().filter(|file| !PRIVATE_ON_PURPOSE.contains(&file.path.as_str()));
    holds(&others.flat_map(private_hosts).collect::<Vec<_>>());
}

#[test]
fn every_crate_comes_from_the_public_registry() {
    let lock = files().iter().find(|file| file.path == "Cargo.lock").unwrap();
    holds(&other_registries(&lock.text));
}

/// The bad texts are put together here: written out they would be violations themselves.
mod a_violation_is_found {
    use super::*;

    #[test]
    fn in_machine_paths() {
        for folder in ["work", "root", "home", "Users"] {
            assert_eq!(machine_paths(&File::new("a", &format!("cd /{folder}/x; \"/{folder}/y\""))).len(), 2);
            assert_eq!(
                machine_paths(&File::new("a", &format!("https://a.example/{folder}/ a/{folder}/b"))),
                [""; 0]
            );
        }
    }

    #[test]
    fn in_paths_outside() {
        let up = "../".repeat(2);
        assert_eq!(
            paths_outside(&File::new("tests/a.rs", &format!("{up}{OUTSIDE}/x ../README.md"))),
            [""; 0]
        );
        assert_eq!(
            paths_outside(&File::new("tests/a.rs", &format!("{up}shared/database {up}x/{OUTSIDE}"))).len(),
            2
        );
        assert_eq!(paths_outside(&File::new("README.md", "../README.md")).len(), 1);
    }

    #[test]
    fn in_hosts() {
        let bad = ["10.1.2.3", "192.168.0.1:80", "172.20.0.1", "git.a.corp", "me@index.internal/x"];
        for host in bad {
            assert_eq!(private_hosts(&File::new("a", &["https:/", host].join("/"))).len(), 1, "{host}");
        }
        assert_eq!(
            private_hosts(&File::new("a", "https://a.example http://127.0.0.1:7070 10.0.0.0/16")),
            [""; 0]
        );
    }

    #[test]
    fn in_registries() {
        let good = "name = \"a\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
        assert_eq!(other_registries(good), [""; 0]);
        assert_eq!(other_registries(&good.replace("github.com", "crates.example")).len(), 1);
    }
}
