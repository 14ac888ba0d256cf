//! A platform, and a person at a terminal beside it.

use std::{
    collections::HashMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use e2e::{ADMIN, Profile, bootstrap};
use local::{Platform, Settings};
use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// A platform, a folder, and what was typed and answered so far.
pub(crate) struct Stage {
    pub(crate) platform: Platform,
    folder: TempDir,
    said: String,
    /// Ids, by the number under which they are shown.
    known: HashMap<String, usize>,
}

/// What a command came to.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Its answer, with `-o json`.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

impl Stage {
    /// An empty platform.
    pub(crate) async fn empty() -> Self {
        let folder = TempDir::with_prefix("cuecard-").unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        let settings =
            Settings { admin_key: Some(ADMIN.to_owned()), ..Settings::new(folder.path().join("data")) };
        let platform = Platform::start(settings).await.unwrap();
        Self { platform, folder, said: String::new(), known: HashMap::new() }
    }

    /// A path in the folder where commands are typed.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// Puts a file where commands are typed.
    pub(crate) fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// What a file says.
    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program, with this environment beside its arguments.
    pub(crate) fn program(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(bootstrap("cuecard", Profile::Dev));
        command.args(arguments).current_dir(self.path("")).env_clear();
        command.env("HOME", self.path("home")).envs(environment.iter().copied());
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command in this environment.
    pub(crate) async fn said(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
        let output = self.program(arguments, environment).output().await.unwrap();
        Said {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command as the admin.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Said {
        let environment = [("CUECARD_URL", self.platform.url()), ("CUECARD_API_KEY", ADMIN)];
        self.said(arguments, &environment).await
    }

    /// Runs a command, insists on its exit code, and keeps it for the transcript.
    #[track_caller]
    pub(crate) fn shows(&mut self, arguments: &[&str], code: i32) -> impl Future<Output = Said> {
        let at = std::panic::Location::caller();
        async move {
            let said = self.run(arguments).await;
            assert_eq!(
                said.code,
                code,
                "{at}: cuecard {}\n{}{}",
                arguments.join(" "),
                said.stdout,
                said.stderr
            );
            let shown = format!("$ cuecard {}\n{}{}", arguments.join(" "), said.stdout, said.stderr);
            let shown = self.redacted(&shown);
            writeln!(self.said, "{}\n[{code}]\n", shown.trim_end()).unwrap();
            said
        }
    }

    /// Runs a command that works, and returns its answer.
    pub(crate) async fn fields(&self, arguments: &[&str]) -> Value {
        let said = self.run(&[arguments, &["-o", "json"]].concat()).await;
        assert_eq!(said.code, 0, "cuecard {}\n{}{}", arguments.join(" "), said.stdout, said.stderr);
        said.json()
    }

    /// All that was typed and answered.
    pub(crate) fn transcript(&self) -> &str {
        &self.said
    }

    /// Without what differs from run to run; an id keeps a number, so that one can see where it comes again.
    fn redacted(&mut self, text: &str) -> String {
        let folder = self.folder.path().join("work");
        let text = text.replace(&format!("{}/", folder.display()), "").replace(self.platform.url(), "URL");
        let id = Regex::new(r"\b(prm|ver|tst|evl|exp|rol|aud|key|whk|req)_[0-9A-Z]{26}\b").unwrap();
        let known = &mut self.known;
        let text = id.replace_all(&text, |found: &regex::Captures<'_>| {
            let next = known.len() + 1;
            format!("{}_#{}", &found[1], known.entry(found[0].to_owned()).or_insert(next))
        });
        let cuts = [
            (r"\bcue_[0-9A-Z]{26}_[0-9a-f]+", "cue_…"),
            (r"\bwhsec_[0-9A-Za-z+/]+=*", "whsec_…"),
            (r"\b[0-9a-f]{64}\b", "<hash>"),
            (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3}Z)?", "<time>"),
            (r"\b\d+(\.\d+)? ms\b", "<ms> ms"),
            (r" {2,}", "  "),
        ];
        cuts.iter().fold(text.into_owned(), |text, (pattern, instead)| {
            Regex::new(pattern).unwrap().replace_all(&text, *instead).into_owned()
        })
    }
}

/// All files below a folder, with what they say.
pub(crate) fn tree(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(tree(&path));
        } else {
            files.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    files.sort();
    files
}
