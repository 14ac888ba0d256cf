//! Draws that a seed repeats.

use domain::Entropy as _;
use testkit::SeededEntropy;

/// A new seed at each run, said so that a failure can be repeated.
#[expect(clippy::print_stdout, reason = "the harness of tests keeps it for those that fail")]
pub fn any_seed() -> u64 {
    let seed = u64::from_be_bytes(runtime::sources::system().bytes());
    println!("seed {seed}");
    seed
}

/// Dice that fall as their seed says.
pub struct Dice(SeededEntropy);

impl Dice {
    /// Dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    /// A number below a bound.
    pub fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        usize::try_from(u32::from_be_bytes(bytes)).expect("at least 32 bits") % bound
    }

    /// One of several.
    pub fn pick<T: Clone>(&self, among: &[T]) -> T {
        among[self.below(among.len())].clone()
    }

    /// Once in so many times.
    pub fn once_in(&self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Puts all in another order.
    pub fn shuffle<T>(&self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}
