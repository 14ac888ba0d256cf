//! Who may depend on whom: the dependency rules of the architecture.

use std::process::Command;

use cargo_metadata::DependencyKind;

use crate::tree::{holds, metadata, root};

/// The packages that each package may use. `testkit` is allowed to all in tests, except to `domain`, of which there
/// would then be two.
const ALLOWED: [(&str, &[&str]); 25] = [
    ("domain", &[]),
    ("store", &["domain"]),
    ("models", &["domain"]),
    ("cache", &["domain", "store"]),
    // A trial and an evaluation case call a model.
    ("registry", &["cache", "domain", "models", "store"]),
    // What a ref names, its test set and its run are read by the use cases that own them.
    ("release", &["cache", "domain", "registry", "store"]),
    // It knows who asks (through the cache) and keeps idempotent answers (in the table).
    ("web", &["cache", "domain", "store"]),
    // It logs the process into the cache.
    ("runtime", &["cache", "domain", "store"]),
    ("testkit", &["domain"]),
    // Functions are wired from parts, never from one another. Only those that move refs have `release`.
    ("authoring", &["cache", "domain", "models", "registry", "release", "runtime", "store", "web"]),
    ("console", &["cache", "domain", "models", "registry", "release", "runtime", "store", "web"]),
    ("resolve", &["cache", "domain", "runtime", "store", "web"]),
    ("ingest", &["cache", "domain", "models", "registry", "runtime", "store", "web"]),
    ("rollup", &["domain", "runtime", "store"]),
    ("try", &["cache", "domain", "models", "registry", "runtime", "store", "web"]),
    ("dispatch", &["cache", "domain", "models", "registry", "runtime", "store"]),
    ("eval-worker", &["cache", "domain", "models", "registry", "runtime", "store"]),
    ("notify", &["domain", "models", "registry", "runtime"]),
    ("propagate", &["cache", "domain", "runtime", "store"]),
    ("steer", &["cache", "domain", "models", "registry", "release", "runtime", "store"]),
    ("rollback", &["cache", "domain", "models", "registry", "release", "runtime", "store", "web"]),
    // They know the platform by its API alone.
    ("client", &["domain"]),
    ("cuecard", &["client", "domain"]),
    // They draw traffic by the million, and judge it by rules that read and write nothing.
    ("simulations", &["domain"]),
    // They measure the platform as the journeys go through it.
    ("benches", &["cache", "client", "domain", "e2e", "local", "propagate", "rollup", "runtime", "testkit"]),
];

/// These see everything: one process holds the whole platform, and journeys go through it. Nothing depends on them,
/// save the journeys on `local`, and what measures on both.
const WHOLE: [&str; 2] = ["local", "e2e"];

/// The packages in which a crate of others may be used; a name that ends in `-` or `_` stands for all that begin so.
const HOMES: [(&str, &[&str]); 11] = [
    // `testkit` and `local` stand in for AWS: they make the tables and pump queue and stream. `cuecard` signs requests of
    // those who operate a deployment.
    ("aws-", &["store", "models", "runtime", "testkit", "local", "cuecard"]),
    ("serde_dynamo", &["store", "runtime", "testkit"]),
    // Events, not SDK types: a queue or stream function takes them, `runtime` takes them apart, the others make them.
    (
        "aws_lambda_events",
        &[
            "dispatch",
            "eval-worker",
            "notify",
            "propagate",
            "rollup",
            "runtime",
            "testkit",
            "local",
            "e2e",
            "benches",
        ],
    ),
    ("dynoxide-rs", &["testkit"]),
    ("rusqlite", &["testkit"]),
    ("rustack-", &["testkit"]),
    ("s3s", &["testkit"]),
    ("s3s-", &["testkit"]),
    // The tests and the benches look into the cache past the platform.
    ("redis", &["cache", "e2e", "benches"]),
    ("getrandom", &[]),
    // The sources of programs.
    ("rand", &["runtime", "cuecard"]),
];

/// What `domain` must not reach: async runtimes, AWS, the web, cache clients, clocks and randomness. `getrandom` is not
/// among them: the JSON Schema validator seeds its hash maps with it, which no answer depends on.
#[rustfmt::skip]
const OUTSIDE_DOMAIN: [&str; 22] = [
    "async-std", "aws-", "aws_", "axum", "axum-", "chrono", "fastrand", "fred", "h2", "http", "hyper", "hyper-",
    "lambda_", "mio", "rand", "redis", "reqwest", "rustls", "smol", "socket2", "tokio", "tower",
];

/// One line of a manifest's dependencies.
struct Edge {
    from: String,
    to: String,
    kind: DependencyKind,
    /// Whether `to` is a package of ours.
    ours: bool,
}

fn edges() -> Vec<Edge> {
    let of = |package: &cargo_metadata::Package| {
        let from = package.name.to_string();
        let edge = move |to: &cargo_metadata::Dependency| Edge {
            from: from.clone(),
            to: to.name.clone(),
            kind: to.kind,
            ours: to.path.is_some(),
        };
        package.dependencies.iter().map(edge).collect::<Vec<_>>()
    };
    metadata().packages.iter().flat_map(of).collect()
}

fn is(name: &str, pattern: &str) -> bool {
    if pattern.ends_with(['-', '_']) { name.starts_with(pattern) } else { name == pattern }
}

fn not_allowed_among_ours(edges: &[Edge]) -> Vec<String> {
    let allowed = |edge: &Edge| match edge.from.as_str() {
        "e2e" => true,
        "local" => edge.to != "e2e",
        from if edge.kind == DependencyKind::Development && edge.to == "testkit" => from != "domain",
        from => ALLOWED.iter().any(|(package, may)| *package == from && may.contains(&edge.to.as_str())),
    };
    let broken = edges.iter().filter(|edge| edge.ours && !allowed(edge));
    broken.map(|edge| format!("{} must not depend on {}", edge.from, edge.to)).collect()
}

fn not_in_the_table(packages: &[String]) -> Vec<String> {
    let listed: Vec<_> = ALLOWED.iter().map(|(package, _)| *package).chain(WHOLE).collect();
    let unlisted = packages.iter().filter(|package| !listed.contains(&package.as_str()));
    let gone = listed.iter().filter(|package| !packages.iter().any(|known| known == *package));
    unlisted
        .map(|package| format!("{package} has no line in the table of allowed dependencies"))
        .chain(
            gone.map(|package| format!("{package} is in the table of allowed dependencies, but no package")),
        )
        .collect()
}

fn away_from_home(edges: &[Edge]) -> Vec<String> {
    let home = |edge: &Edge| HOMES.iter().find(|(name, _)| is(&edge.to, name)).map(|(_, homes)| *homes);
    let broken = edges.iter().filter_map(|edge| Some((edge, home(edge)?)));
    let broken = broken.filter(|(edge, homes)| !homes.contains(&edge.from.as_str()));
    broken
        .map(|(edge, homes)| format!("{} must not depend on {}: only {homes:?} may", edge.from, edge.to))
        .collect()
}

/// Takes what `cargo tree --prefix none` prints.
fn reached_from_domain(tree: &str) -> Vec<String> {
    let reached = tree.lines().filter_map(|line| line.split_whitespace().next());
    let broken = reached.filter(|name| OUTSIDE_DOMAIN.iter().any(|pattern| is(name, pattern)));
    broken.map(|name| format!("domain reaches {name}; `cargo tree -p domain -i {name}` says how")).collect()
}

#[test]
fn packages_depend_only_on_those_that_the_architecture_allows() {
    holds(&not_allowed_among_ours(&edges()));
}

#[test]
fn every_package_has_a_line_in_the_table_of_allowed_dependencies() {
    let packages: Vec<_> = metadata().packages.iter().map(|package| package.name.to_string()).collect();
    holds(&not_in_the_table(&packages));
}

#[test]
fn aws_engines_and_randomness_are_dependencies_only_of_the_packages_that_wrap_them() {
    holds(&away_from_home(&edges()));
}

#[test]
fn domain_reaches_no_async_runtime_no_aws_no_web_no_cache_client_no_clock_and_no_randomness() {
    let options = ["tree", "--locked", "-p", "domain", "-e", "normal", "--prefix", "none"];
    let tree = Command::new(env!("CARGO")).args(options).current_dir(root()).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    holds(&reached_from_domain(&String::from_utf8(tree.stdout).unwrap()));
}

mod a_violation_is_found {
    use DependencyKind::{Development, Normal};

    use super::*;

    fn ours(from: &str, to: &str, kind: DependencyKind) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), kind, ours: true }
    }

    fn other(from: &str, to: &str) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), kind: Normal, ours: false }
    }

    #[test]
    fn among_ours() {
        let good = [
            ours("store", "domain", Normal),
            ours("store", "testkit", Development),
            ours("local", "testkit", Normal),
            ours("local", "resolve", Normal),
            ours("e2e", "local", Development),
        ];
        assert_eq!(not_allowed_among_ours(&good), [""; 0]);
        let bad = [
            ours("domain", "store", Normal),
            ours("domain", "testkit", Development),
            ours("resolve", "authoring", Normal),
            ours("resolve", "authoring", Development),
            ours("resolve", "release", Normal),
            ours("store", "testkit", Normal),
            ours("registry", "release", Normal),
            ours("local", "e2e", Development),
            ours("web", "local", Development),
            ours("newcomer", "domain", Normal),
        ];
        assert_eq!(not_allowed_among_ours(&bad).len(), bad.len());
    }

    #[test]
    fn in_the_table() {
        let listed = ALLOWED.iter().map(|(package, _)| *package).chain(WHOLE);
        let mut packages: Vec<_> = listed.map(str::to_owned).collect();
        assert_eq!(not_in_the_table(&packages), [""; 0]);
        packages[0] = "newcomer".to_owned();
        assert_eq!(not_in_the_table(&packages).len(), 2);
    }

    #[test]
    fn away_from_its_home() {
        let good =
            [other("store", "aws-sdk-s3"), other("dispatch", "aws_lambda_events"), other("web", "axum")];
        assert_eq!(away_from_home(&good), [""; 0]);
        let bad = [
            other("registry", "aws-sdk-s3"),
            other("web", "serde_dynamo"),
            other("resolve", "aws_lambda_events"),
            other("local", "dynoxide-rs"),
            other("store", "rustack-sqs-core"),
            other("domain", "getrandom"),
            other("domain", "rand"),
        ];
        assert_eq!(away_from_home(&bad).len(), bad.len());
    }

    #[test]
    fn in_what_domain_reaches() {
        assert_eq!(
            reached_from_domain("domain v0.1.0 (shared/domain)\nregex v1.13.1\nrand_core v0.10.1 (*)"),
            [""; 0]
        );
        assert_eq!(reached_from_domain("serde v1\nrand v0.10.3 (*)\nhyper-util v0.1.0\naws_x v1").len(), 3);
    }
}
