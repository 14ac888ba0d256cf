//! What a million events cost: items written of batches of a hundred.

use benches::zipf::Zipf;
use e2e::{
    Dice,
    metrics::{BATCH, MESSAGES, Road, Written},
};

use crate::report::{Progress, line, target};

/// The targets' figure, for 20 versions.
const MOST: usize = 20_000;

/// Prints both figures, of as many batches as Lambda hands over messages at once, so many times; says whether the
/// figure with a target meets it.
pub(crate) async fn measure(rounds: u32, seed: u64) -> bool {
    let dice = Dice::new(seed);
    line(&format!("\nItems written, in batches of {BATCH} of which Lambda hands over {MESSAGES} messages"));
    let few = Road::start(4, 5).await;
    let of_few = written(&few, &dice, rounds, || dice.below(20)).await;
    let figure = format!("20 versions: {} for a million events", of_few.of_a_million());
    let met = target(&figure, &format!("under {MOST}"), of_few.of_a_million() < MOST);
    let (many, popularity) = (Road::start(500, 1).await, Zipf::of(500));
    let of_many = written(&many, &dice, rounds, || popularity.draw(&dice)).await;
    line(&format!("500 prompts with Zipf popularity: {} for a million events", of_many.of_a_million()));
    met
}

async fn written(road: &Road, dice: &Dice, rounds: u32, version: impl Fn() -> usize) -> Written {
    let mut progress = Progress::begin();
    let mut all = Written::default();
    for _ in 0..rounds {
        all += road.written_of(dice, MESSAGES, &version).await;
        progress.tell(|| format!("{} events", all.events));
    }
    all
}
