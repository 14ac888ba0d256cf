//! Random sequences: in production nothing is ever resolved that was not passed, reviewed, overridden or ungated by
//! policy.

use std::collections::BTreeMap;

use e2e::any_seed;

use crate::play::Play;

/// How many sequences are played at least, and at most until each cause and refusal was met.
const SEQUENCES: std::ops::Range<u64> = 4..16;

/// How long each is. `GATE_STEPS=2000 cargo test -p e2e --test gate random` is a longer run, and `GATE_SEED=…` begins
/// with the seed of a run that failed.
const STEPS: usize = 80;

/// What the run must have met, or it shows nothing.
const CAUSES: [&str; 5] = ["passed", "reviewed", "overridden", "ungated", "back to what was live"];
const REFUSALS: [&str; 5] = ["not-evaluated", "gate-failed", "review-needed", "evidence-stale", "forbidden"];

/// A number that was given when the tests were built.
fn given(text: Option<&str>) -> Option<u64> {
    text.map(|text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_random_sequences_production_never_shows_what_nothing_let_through() {
    let first = given(option_env!("GATE_SEED")).unwrap_or_else(any_seed);
    let steps = given(option_env!("GATE_STEPS")).map_or(STEPS, |steps| usize::try_from(steps).unwrap());
    let (mut causes, mut answers) = (BTreeMap::new(), BTreeMap::new());
    let (mut next, mut met) = (0, false);
    while next < SEQUENCES.start || !met && next < SEQUENCES.end {
        let pair = [next, next + 1].map(|number| tokio::spawn(play(first.wrapping_add(number), steps)));
        for sequence in pair {
            let (its_causes, its_answers) = sequence.await.unwrap();
            add(&mut causes, its_causes);
            add(&mut answers, its_answers);
        }
        next += 2;
        met = CAUSES.iter().all(|cause| causes.contains_key(cause))
            && REFUSALS.iter().all(|refusal| answers.contains_key(*refusal));
    }
    println!("{next} sequences; moves by cause: {causes:?}\nanswers: {answers:?}");
    assert!(met, "some cause or refusal was never met");
}

async fn play(seed: u64, steps: usize) -> (BTreeMap<&'static str, usize>, BTreeMap<String, usize>) {
    let mut play = Play::begin(seed).await;
    for step in 0..steps {
        if let Err(violation) = play.step().await {
            panic!("seed {seed}, step {step}: {violation}");
        }
    }
    play.oracle.close(&play.stage).await.unwrap();
    (play.oracle.causes, play.answers)
}

fn add<K: Ord>(all: &mut BTreeMap<K, usize>, more: BTreeMap<K, usize>) {
    for (name, count) in more {
        *all.entry(name).or_default() += count;
    }
}
