//! How a source file begins and how long it may be.

use crate::tree::{File, files, holds};

/// The most lines of a file.
const LONGEST: usize = 300;

fn untitled(files: &[File]) -> Vec<String> {
    let untitled = files.iter().filter(|file| file.has_extension("rs") && !file.text.starts_with("//! "));
    untitled.map(|file| format!("{}: begins without `//!` that says what it is for", file.path)).collect()
}

fn too_long(files: &[File]) -> Vec<String> {
    let broken = |file: &File| {
        let (path, lines) = (&file.path, file.text.lines().count());
        (lines > LONGEST).then(|| format!("{path}: has {lines} lines: divide it"))
    };
    files.iter().filter(|file| file.has_extension("rs")).filter_map(broken).collect()
}

fn long_mains(files: &[File]) -> Vec<String> {
    let wired = |path: &str| {
        matches!(path, "cli/src/main.rs" | "local/src/main.rs")
            || (path.starts_with("functions/") && path.ends_with("/main.rs"))
    };
    let long = files.iter().filter(|file| wired(&file.path) && file.text.lines().count() > 30);
    long.map(|file| format!("{}: has more than 30 lines: only wiring stands there", file.path)).collect()
}

#[test]
fn every_file_begins_by_saying_what_it_is_for() {
    holds(&untitled(files()));
}

#[test]
fn no_file_has_more_than_300_lines() {
    holds(&too_long(files()));
}

#[test]
fn main_has_30_lines_at_most() {
    holds(&long_mains(files()));
}

mod a_violation_is_found {
    use super::*;

    #[test]
    fn in_titles() {
        let good = File::new("a.rs", "//! Adds.\n");
        assert_eq!(untitled(&[good]), [""; 0]);
        assert_eq!(untitled(&[File::new("a.rs", "use b;\n"), File::new("a.rs", "")]).len(), 2);
    }

    #[test]
    fn in_lengths() {
        let of = |lines| File::new("a.rs", &"\n".repeat(lines));
        assert_eq!(too_long(&[of(300)]), [""; 0]);
        assert_eq!(too_long(&[of(301)]).len(), 1);
    }

    #[test]
    fn in_mains() {
        let of = |path, lines| File::new(path, &"\n".repeat(lines));
        assert_eq!(
            long_mains(&[of("functions/a/src/main.rs", 30), of("tests/conventions/main.rs", 31)]),
            [""; 0]
        );
        assert_eq!(long_mains(&[of("functions/a/src/main.rs", 31), of("local/src/main.rs", 31)]).len(), 2);
    }
}
