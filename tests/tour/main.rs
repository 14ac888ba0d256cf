//! What the README shows is what happens: its tour is taken on a fresh platform, and its tables are compared.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod configuration;
mod document;
mod log;
mod program;
mod redact;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use similar::TextDiff;
use tempfile::TempDir;

use crate::{
    document::{Step, steps},
    program::Program,
    redact::redacted,
};

/// Where the README says that the platform listens and keeps its data.
const ADDRESS: &str = "127.0.0.1:7070";
const FOLDER: &str = ".cuecard";

/// Ends the answer of a step.
const END: &str = "=== end of a step ===\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The sections whose commands a reader types, one after the other.
const TOUR: [&str; 3] = ["## A five-minute tour", "## From the terminal", "### Smoke-test it"];

/// The section whose other commands want an account of AWS.
const DEPLOYMENT: &str = "## Deploy it";

/// Takes the steps one after the other in one shell, as a reader does, and returns their answers.
fn take(tour: &[Step], program: &Program, folder: &str) -> Vec<String> {
    let end = format!("printf '%s' '{END}'\n");
    let steps = tour.iter().flat_map(|step| [step.commands.as_str(), &end]).collect::<String>();
    let script = steps.replace(ADDRESS, program.address()).replace(FOLDER, folder);
    let cuecard = e2e::bootstrap("cuecard", e2e::Profile::Dev);
    let path = format!("export PATH='{}':\"$PATH\"\n", cuecard.parent().unwrap().display());
    let mut bash = Command::new("bash");
    // A proxy of this host does not know the platform.
    bash.args(["-c", &format!("exec 2>&1\n{path}{script}")]).current_dir(root()).env("no_proxy", "127.0.0.1");
    // Where `cuecard login` keeps the key.
    bash.env("XDG_CONFIG_HOME", folder);
    let output = String::from_utf8(bash.output().unwrap().stdout).unwrap();
    let shown = output.replace(program.address(), ADDRESS).replace(folder, FOLDER);
    shown.split_terminator(END).map(str::to_owned).collect()
}

/// The commands with their answers, as a terminal would show them.
fn transcript<'a>(steps: &[Step], answers: impl IntoIterator<Item = &'a str>) -> String {
    let shown = steps.iter().zip(answers).map(|(step, answer)| {
        let commands = step.commands.trim_end().replace('\n', "\n> ");
        format!("$ {commands}\n{}\n\n", redacted(answer.trim()))
    });
    shown.collect()
}

/// How the answers differ from those that the README shows; nothing when they do not.
fn difference(shown: &str, real: &str) -> Option<String> {
    let diff = TextDiff::from_lines(shown, real);
    (shown != real).then(|| diff.unified_diff().header("as the README shows it", "as it is").to_string())
}

#[test]
fn the_tour_of_the_readme_is_what_happens() {
    let readme = readme();
    let start = steps(&readme, "## Run it");
    let tour: Vec<Step> = TOUR.iter().flat_map(|section| steps(&readme, section)).collect();
    let blocks = readme.lines().filter(|line| line.starts_with("```sh")).count();
    let deployment = steps(&readme, DEPLOYMENT).into_iter().filter(|step| !tour.contains(step)).count();
    assert_eq!(
        blocks,
        start.len() + tour.len() + deployment,
        "a block of commands is in none of these sections"
    );

    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let program = Program::start(folder.path(), "warn");
    let said = program.said().replace(program.address(), ADDRESS).replace(data, &format!("./{FOLDER}"));
    let answers = take(&tour, &program, data);
    assert_eq!(answers.len(), tour.len(), "the shell ended early: {answers:#?}");

    let all = || start.iter().chain(&tour);
    let steps: Vec<Step> = all().cloned().collect();
    let shown = transcript(&steps, all().map(|step| step.answer.as_str()));
    let real = transcript(&steps, [said.as_str()].into_iter().chain(answers.iter().map(String::as_str)));
    if let Some(difference) = difference(&shown, &real) {
        panic!("the README is not true any more:\n{difference}");
    }
}

#[test]
fn a_difference_is_shown_with_the_command_before_it() {
    let step = Step { commands: "seq 2\n".to_owned(), answer: String::new() };
    let shown = |answer| transcript(std::slice::from_ref(&step), [answer]);
    assert_eq!(difference(&shown("1\n2\n"), &shown("1\n2")), None);
    let found = difference(&shown("1\n2\n"), &shown("1\n3\n")).unwrap();
    assert!(found.contains(" $ seq 2\n 1\n-2\n+3\n"), "{found}");
}
