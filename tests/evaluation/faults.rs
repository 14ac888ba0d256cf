//! A provider in which everything goes wrong at once: the run ends all the same, and each case as it should.

use std::time::Duration;

use e2e::{World, WorldSettings, any_seed};
use serde_json::{Value, json};
use testkit::{
    SeededEntropy,
    provider::{CallInfo, Reply, ScriptedProvider},
};

use crate::lab::{Lab, cases, echo, members, model, run_path, tally};

/// The number of the case that is answered with a 500 for ever.
const BROKEN: u32 = 77;

/// What the provider does on the first call for a case: 1 in 40 hangs, 1 in 20 is cut, 1 in 20 is dropped. Half of
/// all other calls are one too many; those come again in a second, or at once.
pub(crate) fn faulty(seed: u64) -> impl Fn(&CallInfo) -> Reply + Send + Sync + 'static {
    move |call| {
        let number: u32 = call.user().rsplit(' ').next().unwrap().parse().unwrap();
        // By the call and not by when it comes, or a seed would repeat nothing.
        let call_of_seed = (u64::from(number) << 32) + call.attempt;
        let entropy = SeededEntropy::new(seed.wrapping_add(call_of_seed));
        let (fate, throttled) = (entropy.unit(), entropy.unit());
        match (number, call.attempt) {
            (BROKEN, _) => Reply::Status(500, None),
            (_, 1) if fate < 0.025 => Reply::Hang,
            (_, 1) if fate < 0.075 => Reply::CutJson,
            (_, 1) if fate < 0.125 => Reply::Drop,
            _ if throttled < 0.25 => Reply::Status(429, Some(1)),
            _ if throttled < 0.5 => Reply::Status(429, Some(0)),
            _ => echo(call),
        }
    }
}

/// Each case of 180 passing and 20 failing ones is there once, and ended as it should by this provider.
pub(crate) fn assert_as_they_should(cases: &[Value], seed: u64) {
    let numbers: Vec<_> = cases.iter().map(|case| case["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>(), "seed {seed}");
    for case in cases {
        let outcome = match case["number"].as_u64().unwrap() {
            number if number == u64::from(BROKEN) => "errored",
            number if number <= 180 => "passed",
            _ => "failed",
        };
        assert_eq!(case["outcome"], outcome, "seed {seed}: {case}");
    }
}

#[tokio::test]
async fn whatever_a_provider_does_the_run_ends_and_each_case_as_it_should() {
    let seed = any_seed();
    let provider = ScriptedProvider::start(faulty(seed)).unwrap();
    let builtin = vec![model("test/model", &provider)];
    // It bounds the answers that come, too.
    let model_timeout = Duration::from_secs(3);
    let world = World::with(WorldSettings { builtin, model_timeout, ..WorldSettings::default() }).await;
    let lab = Lab { world, provider };
    let version = lab.version("faulty", &cases(180, 20)).await;
    lab.world.step_stream().await;
    let run = lab.ended(&version).await;
    assert_eq!(tally(&run), json!([200, 200, 179, 20, 1]), "seed {seed}");
    assert_eq!(members(&run, &["status", "gate_result"]), json!(["completed", "pass"]), "seed {seed}: {run}");
    assert_eq!(lab.provider.calls_for(&format!("question {BROKEN}")), 5, "seed {seed}");
    let mut found = lab.cases(&version, "?limit=100").await;
    let page = lab.get(&run_path(&version, "/cases?limit=100")).await;
    let next = format!("?limit=100&cursor={}", page["next_cursor"].as_str().unwrap());
    found.extend(lab.cases(&version, &next).await);
    assert_as_they_should(&found, seed);
    println!("{} calls", lab.provider.calls());
}
