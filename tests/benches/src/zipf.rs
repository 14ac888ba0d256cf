//! Popularity as it is: a few are met often, and most hardly ever.

use e2e::Dice;

/// The k-th is met as often as the first, divided by k.
pub struct Zipf(Vec<usize>);

impl Zipf {
    /// Of so many.
    pub fn of(many: usize) -> Self {
        let mut sum = 0;
        let sums = (1..=many).map(|rank| {
            sum += 100_000_000 / rank;
            sum
        });
        Self(sums.collect())
    }

    /// The place of the one that is met.
    pub fn draw(&self, dice: &Dice) -> usize {
        let drawn = dice.below(self.0.last().copied().unwrap_or(1));
        self.0.partition_point(|sum| *sum <= drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_half_as_popular_as_the_first() {
        let (dice, zipf) = (Dice::new(7), Zipf::of(3));
        let mut drawn = [0.0; 3];
        for _ in 0..11_000 {
            drawn[zipf.draw(&dice)] += 1.0;
        }
        for (drawn, wanted) in drawn.into_iter().zip([6000.0, 3000.0, 2000.0_f64]) {
            assert!((drawn - wanted).abs() < 200.0, "{drawn} for {wanted}");
        }
    }
}
