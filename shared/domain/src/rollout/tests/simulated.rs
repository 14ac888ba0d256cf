//! Whole canaries over drawn traffic, as in the table of statistics.md §5.

use super::*;

/// Random numbers that a test can repeat: splitmix64.
struct Draws(u64);

impl Draws {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// With mean 0 and variance 1, near enough to a normal one.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// How the canary differs from a control with 1 % errors.
#[derive(Clone, Copy)]
struct Harm {
    errors: f64,
    /// Of the logarithm of latencies, whose deviation is .6.
    slower: f64,
}

const HEALTHY: Harm = Harm { errors: 0.01, slower: 0.0 };

/// What became of a canary.
struct Story {
    promoted: bool,
    minutes: u64,
    requests: u64,
}

/// 100,000 requests a day, each of a new user.
fn story(harm: Harm, seed: u64) -> Story {
    let mut draws = Draws(seed.wrapping_mul(1_000_003));
    let mut canary = begun();
    let mut observed = fine(&canary, 0);
    let stratum = |of: &Rollout| Stratum {
        allocation_version: of.state.allocation_version,
        arms: vec![Sums::default(); 2],
    };
    observed.means.insert(Measure::LatencyMs, Mean { strata: vec![stratum(&canary)], design_effect: 1.0 });
    for minute in 1..2000 {
        let share = canary.share();
        (0..69).for_each(|_| serve(&mut observed, harm, share, &mut draws));
        let Tick { rollout, decision, .. } = at(&canary, &observed, minute);
        canary = rollout;
        match decision {
            Decision::Advance(_) => {
                observed.allocation_version = canary.state.allocation_version;
                observed.failures = errors((0, 0), (0, 0));
                observed.means.get_mut(&Measure::LatencyMs).unwrap().strata.push(stratum(&canary));
            }
            Decision::Abort | Decision::Promote => {
                let promoted = decision == Decision::Promote;
                return Story { promoted, minutes: minute, requests: observed.requests };
            }
            _ => {}
        }
    }
    panic!("seed {seed} never ended");
}

fn serve(observed: &mut Observed, harm: Harm, share: f64, draws: &mut Draws) {
    let on_canary = draws.happens(share);
    let fails = draws.happens(if on_canary { harm.errors } else { HEALTHY.errors });
    let compared = observed.failures.get_mut(&Measure::Error).unwrap();
    let units = if on_canary { &mut compared.canary } else { &mut compared.control };
    units.served += 1;
    units.failed += u64::from(fails);
    let better = 0.6 * draws.normal() - if on_canary { harm.slower } else { HEALTHY.slower };
    let latencies = observed.means.get_mut(&Measure::LatencyMs).unwrap().strata.last_mut().unwrap();
    let sums = &mut latencies.arms[usize::from(on_canary)];
    *sums = Sums { n: sums.n + 1.0, s1: sums.s1 + better, s2: sums.s2 + better * better };
    observed.requests += u64::from(on_canary);
    observed.labels += u64::from(on_canary);
}

fn stories(harm: Harm, count: u64) -> Vec<Story> {
    (1..=count).map(|seed| story(harm, seed)).collect()
}

fn median(of: impl Iterator<Item = u64>) -> u64 {
    let mut sorted: Vec<_> = of.collect();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

#[test]
fn a_healthy_version_is_promoted_in_hours() {
    let stories = stories(HEALTHY, 60);
    let promoted: Vec<_> = stories.iter().filter(|story| story.promoted).collect();
    assert!(promoted.len() >= 58, "{} of 60 were promoted", promoted.len());
    let minutes = median(promoted.iter().map(|story| story.minutes));
    assert!((225..400).contains(&minutes), "in {minutes} minutes");
}

#[test]
fn a_version_that_fails_for_three_of_ten_is_stopped_before_it_served_sixty() {
    let stories = stories(Harm { errors: 0.30, ..HEALTHY }, 300);
    assert!(stories.iter().all(|story| !story.promoted));
    let (most, middle) = (
        stories.iter().map(|story| story.requests).max().unwrap(),
        median(stories.iter().map(|s| s.requests)),
    );
    assert!(most <= 60 && (8..=16).contains(&middle), "at most {most}, mostly {middle}");
}

#[test]
fn versions_that_fail_five_times_as_often_or_are_half_slower_are_stopped() {
    for (harm, most) in
        [(Harm { errors: 0.05, ..HEALTHY }, 250), (Harm { slower: 1.5_f64.ln(), ..HEALTHY }, 120)]
    {
        let stories = stories(harm, 60);
        assert!(stories.iter().all(|story| !story.promoted));
        let middle = median(stories.iter().map(|story| story.requests));
        assert!(middle <= most, "mostly after {middle}");
    }
}
