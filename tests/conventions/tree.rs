//! What the rules look at: the text files of the tree and what cargo says about the packages.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use cargo_metadata::{Metadata, MetadataCommand};

/// A text file of the tree.
pub(crate) struct File {
    /// From the root of the tree, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// A file for the test of a rule.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|own| own == extension)
    }

    /// Where a byte of the text stands, as compilers say it.
    pub(crate) fn place(&self, offset: usize) -> String {
        let line = self.text.get(..offset).unwrap_or_default().matches('\n').count() + 1;
        format!("{}:{line}", self.path)
    }
}

/// Fails with every violation on a line of its own.
#[track_caller]
pub(crate) fn holds(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

/// The root of the tree.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> =
        LazyLock::new(|| fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap());
    &ROOT
}

/// All text files but those that no commit holds. `git ls-files` would say it exactly, but also where a file is not yet
/// added, and the tests are to run on an archive of the tree too.
pub(crate) fn files() -> &'static [File] {
    static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
        let mut files = Vec::new();
        walk(root(), &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    });
    &FILES
}

fn walk(folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        let hidden = name.starts_with('.') && ![".ci", ".cargo", ".github"].contains(&name.as_ref());
        if hidden || name == "target" {
            continue;
        }
        if path.is_dir() {
            walk(&path, files);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            files.push(File { path, text });
        }
    }
}

/// What cargo says about the packages of the workspace.
pub(crate) fn metadata() -> &'static Metadata {
    static METADATA: LazyLock<Metadata> =
        LazyLock::new(|| MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap());
    &METADATA
}
