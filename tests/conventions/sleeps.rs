//! Tests await conditions: whoever sleeps is either slow or flaky.

use std::path::Path;

use regex::Regex;

use crate::tree::{File, files, holds};

/// The files of tests that sleep, how often, and why no condition can be awaited instead.
const SLEEPS: [(&str, usize, &str); 17] = [
    ("local/tests/suite/command_line.rs", 1, "a quiet program does not say when it listens"),
    ("shared/testkit/src/event_source/queue/tests.rs", 1, "a handler that takes its time is what is tested"),
    (
        "shared/testkit/src/event_source/schedule/tests.rs",
        1,
        "a handler that takes its time is what is tested",
    ),
    ("shared/testkit/src/event_source/stream/tests.rs", 1, "the engine tells nobody when it removes an item"),
    ("tests/browser/hands.rs", 1, "what a page holds can only be asked"),
    ("tests/browser/tab.rs", 1, "what a page shows can only be asked"),
    ("tests/journeys/bootstraps.rs", 1, "a second without requests is what is tested"),
    (
        "tests/journeys/cluster.rs",
        1,
        "a cluster and a process without a clock of the test's can only be asked",
    ),
    ("tests/journeys/storm.rs", 2, "kills have a pace, and the archive can only be asked"),
    ("tests/journeys/processes.rs", 1, "a process without a clock of the test's can only be asked"),
    ("tests/journeys/target.rs", 1, "over HTTP a platform can only be asked"),
    ("tests/benches/src/bin/bench/rollbacks.rs", 3, "a bench measures time as it passes"),
    ("tests/benches/src/bin/bench_load/arrivals.rs", 1, "requests arrive when they are due"),
    ("tests/benches/src/bin/bench_load/processes.rs", 1, "requests arrive when they are due"),
    ("tests/benches/src/bin/bench_metrics/pace.rs", 2, "a bench measures time as it passes"),
    ("tests/benches/src/bin/bench_peers/system.rs", 1, "another's server does not say when it listens"),
    ("shared/testkit/src/provider/tests.rs", 1, "the count of open calls can only be asked for"),
];

/// The part of a file that is only there in tests.
fn tests(file: &File) -> &str {
    let path = Path::new(&file.path);
    let whole = path.ends_with("tests.rs")
        || path.parent().is_some_and(|folder| folder.iter().any(|name| name == "tests"));
    let begin = if whole { Some(0) } else { file.text.find("#[cfg(test)]") };
    begin.and_then(|begin| file.text.get(begin..)).unwrap_or_default()
}

fn sleeps(files: &[File], listed: &[(&str, usize, &str)]) -> Vec<String> {
    let sleep = Regex::new(r"\bsleep(_until)?\(").unwrap();
    let broken = |file: &File| {
        let (path, times) = (&file.path, sleep.find_iter(tests(file)).count());
        let most = listed.iter().find(|(listed, ..)| listed == path).map_or(0, |(_, most, _)| *most);
        match times {
            _ if times > most => Some(format!("{path}: its tests sleep {times} times: await a condition")),
            _ if times < most => Some(format!("{path}: its tests sleep less now: correct the list")),
            _ => None,
        }
    };
    let gone = listed.iter().filter(|(path, ..)| !files.iter().any(|file| file.path == *path));
    let gone = gone.map(|(path, ..)| format!("{path}: is gone: take it off the list"));
    files.iter().filter(|file| file.has_extension("rs")).filter_map(broken).chain(gone).collect()
}

#[test]
fn tests_do_not_sleep_except_where_listed() {
    holds(&sleeps(files(), &SLEEPS));
}

#[test]
fn a_violation_is_found() {
    let sleep = ["#[cfg(test)]\nmod tests { tokio::time::sl", "eep(time).await }"].concat();
    let outside = File::new("a/src/lib.rs", sleep.trim_start_matches("#[cfg(test)]"));
    assert_eq!(sleeps(&[outside], &[]), [""; 0]);
    for path in ["a/src/lib.rs", "a/src/tests.rs", "a/src/tests/b.rs", "tests/journeys/main.rs"] {
        assert_eq!(sleeps(&[File::new(path, &sleep)], &[]).len(), 1, "{path}");
        assert_eq!(sleeps(&[File::new(path, &sleep)], &[(path, 1, "why")]), [""; 0]);
        assert_eq!(sleeps(&[File::new(path, "")], &[(path, 1, "why")]).len(), 1);
    }
    assert_eq!(sleeps(&[], &[("a/src/lib.rs", 1, "why")]).len(), 1);
}
