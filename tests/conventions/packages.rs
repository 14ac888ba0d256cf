//! How a package is made: one table of versions, one of lints, one name for package, binary and folder.

use cargo_metadata::Package;

use crate::tree::{File, files, holds, metadata, root};

/// What every package takes from the workspace.
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

/// The workspace's. The fuzz targets are a workspace of their own, which inherits nothing.
fn manifests() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.path.ends_with("/Cargo.toml") && !file.path.starts_with("fuzz/"))
}

/// The lines of the tables whose names end so; without blank lines and comments.
fn table<'a>(manifest: &'a str, name: &str) -> Vec<&'a str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') {
            inside = line.ends_with(&format!("{name}]"));
        } else if inside {
            lines.push(line);
        }
    }
    lines
}

fn not_inherited(manifest: &File) -> Vec<String> {
    let package = table(&manifest.text, "[package");
    let missing = INHERITED.iter().map(|key| format!("{key}.workspace = true"));
    let missing = missing.filter(|line| !package.contains(&line.as_str()));
    let lints = (table(&manifest.text, "[lints") != ["workspace = true"])
        .then(|| "[lints] workspace = true".to_owned());
    missing.chain(lints).map(|line| format!("{}: `{line}` is missing", manifest.path)).collect()
}

fn with_a_version_of_its_own(manifest: &File) -> Vec<String> {
    let dependencies = table(&manifest.text, "dependencies");
    let own = dependencies
        .iter()
        .filter(|line| !(line.contains(".workspace = true") || line.contains("{ workspace = true")));
    own.map(|line| format!("{}: `{line}` takes no version from the workspace", manifest.path)).collect()
}

fn not_pinned(workspace: &str) -> Vec<String> {
    let dependencies = table(workspace, "[workspace.dependencies");
    let loose = dependencies.iter().filter(|line| {
        !(line.contains(" = \"=") || line.contains("version = \"=") || line.contains("{ path = "))
    });
    loose.map(|line| format!("Cargo.toml: `{line}` is not pinned with `=`")).collect()
}

/// The folder of the journeys is where people look for tests, and `cli` where they look for the command line: their
/// packages need names that say more. What is simulated or measured is programs, each run by a target of `make`.
fn misnamed(folder: &str, package: &str, binaries: &[&str]) -> Vec<String> {
    let folder = match (folder, package) {
        ("tests", "e2e") | ("cli", "cuecard") => package,
        _ => folder,
    };
    let measures = ["benches", "simulations"].contains(&package);
    let named = |binary: &&&str| **binary == package || (measures && binary.starts_with("bench"));
    let folder = folder.rsplit('/').next().unwrap_or(folder);
    let binaries = binaries.iter().filter(|binary| !named(binary));
    let binaries =
        binaries.map(|binary| format!("the binary {binary} of {package} has another name than its package"));
    let own = (folder != package).then(|| format!("the package {package} is in a folder named {folder}"));
    own.into_iter().chain(binaries).collect()
}

fn undescribed(package: &str, description: Option<&str>) -> Option<String> {
    let told = description.is_some_and(|text| text.split_whitespace().count() >= 3);
    (!told).then(|| format!("{package} has no description of a few words"))
}

fn folder(package: &Package) -> String {
    let folder = package.manifest_path.parent().unwrap();
    folder.strip_prefix(root()).unwrap().as_str().replace('\\', "/")
}

#[test]
fn every_package_takes_version_edition_licence_and_lints_from_the_workspace() {
    holds(&manifests().flat_map(not_inherited).collect::<Vec<_>>());
}

#[test]
fn every_dependency_takes_its_version_from_the_workspace() {
    holds(&manifests().flat_map(with_a_version_of_its_own).collect::<Vec<_>>());
}

#[test]
fn the_workspace_pins_every_dependency() {
    let workspace = files().iter().find(|file| file.path == "Cargo.toml").unwrap();
    holds(&not_pinned(&workspace.text));
}

#[test]
fn package_binary_and_folder_have_one_name() {
    let of = |package: &Package| {
        let binaries = package.targets.iter().filter(|target| target.is_bin());
        let binaries: Vec<_> = binaries.map(|target| target.name.as_str()).collect();
        misnamed(&folder(package), &package.name, &binaries)
    };
    holds(&metadata().packages.iter().flat_map(of).collect::<Vec<_>>());
}

#[test]
fn every_package_says_what_it_is() {
    let of = |package: &Package| undescribed(&package.name, package.description.as_deref());
    holds(&metadata().packages.iter().filter_map(of).collect::<Vec<_>>());
}

#[test]
fn a_build_without_options_takes_the_functions_alone() {
    let functions = metadata().packages.iter().filter(|package| folder(package).starts_with("functions/"));
    let mut functions: Vec<_> = functions.map(|package| package.name.as_str()).collect();
    let defaults = metadata().workspace_default_packages();
    let mut defaults: Vec<_> = defaults.into_iter().map(|package| package.name.as_str()).collect();
    functions.sort_unstable();
    defaults.sort_unstable();
    assert_eq!(defaults, functions);
}

/// Packages that write into no log: they run in tests, or hold them, or speak to a person.
const SILENT: [&str; 5] = ["cli", "shared/client", "shared/testkit", "tests", "tests/benches"];

#[test]
fn the_log_knows_every_package() {
    let logging = metadata().packages.iter().filter(|package| !SILENT.contains(&folder(package).as_str()));
    let mut crates: Vec<_> = logging
        .filter_map(|package| package.targets.iter().find(|target| target.is_lib()))
        .map(|library| library.name.as_str())
        .collect();
    crates.sort_unstable();
    assert_eq!(crates, runtime::log::PACKAGES);
}

mod a_violation_is_found {
    use super::*;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\n\
        [lints]\nworkspace = true\n\n\
        [dependencies]\n# Why.\nb.workspace = true\n\n\
        [dev-dependencies]\nc = { workspace = true, features = [\"d\"] }\n";

    #[test]
    fn in_what_a_package_inherits() {
        assert_eq!(not_inherited(&File::new("a/Cargo.toml", GOOD)), [""; 0]);
        let own = GOOD.replace("version.workspace = true\nedition", "version = \"1.0.0\"\nedition");
        let no_lints = own.replace("[lints]\nworkspace = true\n", "");
        assert_eq!(not_inherited(&File::new("a/Cargo.toml", &own)).len(), 1);
        assert_eq!(not_inherited(&File::new("a/Cargo.toml", &no_lints)).len(), 2);
    }

    #[test]
    fn in_versions() {
        assert_eq!(with_a_version_of_its_own(&File::new("a/Cargo.toml", GOOD)), [""; 0]);
        let own = GOOD
            .replace("b.workspace = true", "b = \"1\"")
            .replace("workspace = true, ", "version = \"=1\", ");
        assert_eq!(with_a_version_of_its_own(&File::new("a/Cargo.toml", &own)).len(), 2);
    }

    #[test]
    fn in_pins() {
        let good = "[workspace.dependencies]\na = { path = \"a\" }\nb = \"=1.0.0\"\nc = { version = \"=2.0.0\" }\n\
            [workspace.lints.rust]\nunsafe_code = \"forbid\"\n";
        assert_eq!(not_pinned(good), [""; 0]);
        assert_eq!(not_pinned(&good.replace("\"=", "\"")).len(), 2);
    }

    #[test]
    fn in_names() {
        assert_eq!(misnamed("functions/a", "a", &["a"]), [""; 0]);
        assert_eq!(misnamed("tests", "e2e", &[]), [""; 0]);
        assert_eq!(misnamed("tests/benches", "benches", &["bench", "bench_eval"]), [""; 0]);
        assert_eq!(misnamed("cli", "cuecard", &["cuecard"]), [""; 0]);
        assert_eq!(misnamed("functions/a", "b", &["a"]).len(), 2);
        assert_eq!(misnamed("functions/a", "a", &["bench"]).len(), 1);
    }

    #[test]
    fn in_descriptions() {
        assert_eq!(undescribed("a", Some("Does one thing")), None);
        assert!(undescribed("a", Some("x")).is_some() && undescribed("a", None).is_some());
    }
}
