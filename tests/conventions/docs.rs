//! What the documents name is there.

use std::path::{Component, Path, PathBuf};

use regex::Regex;

use crate::tree::{File, files, holds, root};

/// Where paths of the tree begin.
const FOLDERS: [&str; 9] = [".ci", "cli", "docs", "functions", "infra", "local", "shared", "tests", "tools"];

fn documents() -> Vec<&'static File> {
    let markdown = files().iter().filter(|file| file.has_extension("md"));
    markdown.filter(|file| file.path == "README.md" || file.path.starts_with("docs/")).collect()
}

/// The text without fenced blocks: what is shown there need not be a path of ours.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let outside = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    outside.collect::<Vec<_>>().join("\n")
}

/// The paths of the tree that a document names: in backticks from the root, as links from the document's folder.
fn named(document: &File) -> Vec<PathBuf> {
    let text = prose(&document.text);
    let quoted =
        Regex::new(r"`([\w.-]+(?:/[\w.-]*)+|[\w-]+\.(?:rs|md|toml|yaml)|Makefile)(?::\d+)?`").unwrap();
    let quoted = quoted.captures_iter(&text).map(|found| found.get(1).unwrap().as_str());
    let ours = quoted.filter(|path| path.split_once('/').is_none_or(|(folder, _)| FOLDERS.contains(&folder)));
    let link = Regex::new(r"\]\(([^)#\s:]+)[^):]*\)").unwrap();
    let links = link.captures_iter(&text).map(|found| found.get(1).unwrap().as_str());
    let folder = Path::new(&document.path).parent().unwrap_or(Path::new(""));
    ours.map(PathBuf::from).chain(links.map(|path| folder.join(path))).collect()
}

/// `a/../b` as `b`: a link that leaves a folder is right even where the folder is not looked at.
fn tidied(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if tidied.file_name().is_some() => drop(tidied.pop()),
            Component::CurDir => {}
            part => tidied.push(part),
        }
    }
    tidied
}

fn missing(document: &File, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let paths = named(document).into_iter().map(|path| tidied(&path));
    let missing = paths.filter(|path| !exists(path));
    missing.map(|path| format!("{} names {}, which is not there", document.path, path.display())).collect()
}

/// A bare file name may stand for a file of any folder.
fn is_there(path: &Path) -> bool {
    let bare = path.components().count() == 1;
    root().join(path).exists() || (bare && files().iter().any(|file| Path::new(&file.path).ends_with(path)))
}

#[test]
fn the_paths_that_documents_name_exist() {
    holds(&documents().into_iter().flat_map(|document| missing(document, is_there)).collect::<Vec<_>>());
}

#[test]
fn a_violation_is_found() {
    let text = "See `shared/store/src/keys.rs:3`, `keys.rs`, `local/`, [this](../README.md#run) and [that](https://a.example/b).\n\
        Not ours: `/api/prompts`, `application/json`, `../shared/data`, `make run`, `functions/*`.\n\
        ```sh\ncat `docs/away.md`\n```\n";
    let known = ["shared/store/src/keys.rs", "keys.rs", "local/", "README.md"];
    let exists = |path: &Path| known.iter().any(|known| Path::new(known) == path);
    assert_eq!(missing(&File::new("docs/a.md", text), exists), [""; 0]);
    assert_eq!(missing(&File::new("docs/a.md", text), |_| false).len(), known.len());
    assert!(is_there(Path::new("keys.rs")) && is_there(Path::new("shared/store/")));
    assert!(!is_there(Path::new("shared/keys.rs")));
}
