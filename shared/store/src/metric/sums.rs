//! Counters as attributes of items: integers under their names, changed by `ADD` alone.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Error, PromptId, Result,
    counter::{Bucket, Cell},
    metric::{Count, Counts, Histogram},
};

use crate::table::{Item, attribute};

/// What to add, or what there is, by attribute.
pub(super) type Sums = BTreeMap<String, i128>;

/// What a team's day shows of each prompt.
const SHOWN: [Count; 8] = [
    Count::Calls,
    Count::Resolves,
    Count::Errors,
    Count::CostNanos,
    Count::InputTokens,
    Count::OutputTokens,
    Count::RatingGiven,
    Count::RatingSum,
];

/// What may be counted of who met an arm, beside `n`.
const MET: [&str; 5] = ["new_units", "units", "error_units", "refusal_units", "slow_units"];

/// Adds sums to sums. What comes to nothing is left out.
pub(super) fn merge(held: &mut Sums, more: Sums) {
    for (name, more) in more {
        *held.entry(name).or_default() += more;
    }
    held.retain(|_, sum| *sum != 0);
}

/// So many times the sums; −1 takes them away.
pub(super) fn times(mut sums: Sums, times: i64) -> Sums {
    for sum in sums.values_mut() {
        *sum *= i128::from(times);
    }
    sums
}

/// The numbers of an item.
pub(super) fn of_item(item: &Item) -> Result<Sums> {
    let numbers = item.iter().filter_map(|(name, value)| match value {
        AttributeValue::N(number) if name != attribute::GONE_AT => Some((name, number)),
        _ => None,
    });
    let parsed = numbers.map(|(name, number)| Ok((name.clone(), number.parse().map_err(Error::internal)?)));
    parsed.collect()
}

pub(super) fn of_counts(counts: &Counts) -> Sums {
    counts.iter().map(|(count, sum)| (count.name().to_owned(), i128::from(sum))).collect()
}

pub(super) fn to_counts(sums: &Sums) -> Result<Counts> {
    let given = |count: &Count| Some((*count, *sums.get(count.name())?));
    Count::ALL.iter().filter_map(given).map(|(count, sum)| Ok((count, narrow(sum)?))).collect()
}

pub(super) fn of_histogram(histogram: &Histogram) -> Sums {
    histogram.buckets().map(|(bucket, count)| (format!("h{bucket}"), i128::from(count))).collect()
}

pub(super) fn to_histogram(sums: &Sums) -> Result<Histogram> {
    let bucket = |name: &str| name.strip_prefix('h')?.parse().ok();
    let buckets = sums.iter().filter_map(|(name, sum)| Some((bucket(name)?, *sum)));
    let buckets: Result<Vec<_>> = buckets.map(|(bucket, sum)| Ok((bucket, narrow(sum)?))).collect();
    Ok(Histogram::from_buckets(buckets?))
}

/// What a day shows of one prompt.
pub(super) fn of_day(prompt: PromptId, counts: &Counts) -> Sums {
    let shown =
        SHOWN.iter().map(|count| (format!("{}#{prompt}", count.name()), i128::from(counts.get(*count))));
    shown.filter(|(_, sum)| *sum != 0).collect()
}

/// What a day shows, by prompt.
pub(super) fn to_day(sums: &Sums) -> Result<BTreeMap<PromptId, Counts>> {
    let mut prompts: BTreeMap<PromptId, Counts> = BTreeMap::new();
    for (name, sum) in sums {
        let Some((name, prompt)) = name.split_once('#') else { continue };
        let count = SHOWN.iter().find(|count| count.name() == name);
        let (Some(count), Ok(prompt)) = (count, prompt.parse()) else { continue };
        prompts.entry(prompt).or_default().add(*count, narrow(*sum)?);
    }
    Ok(prompts)
}

/// The name of how many there are of a part of the units.
pub(super) fn of_bucket(at: usize) -> String {
    format!("b{at:02}_n")
}

pub(super) fn of_cell(cell: &Cell) -> Sums {
    numbers_of(cell).filter(|(_, sum)| *sum != 0).collect()
}

/// All numbers that a cell has, and those that are nothing.
fn numbers_of(cell: &Cell) -> impl Iterator<Item = (String, i128)> {
    let total = &cell.total;
    let whole = [("n", i128::from(total.n)), ("s1", total.s1), ("s2", total.s2)];
    let whole = whole.into_iter().map(|(name, sum)| (name.to_owned(), sum));
    let buckets =
        cell.buckets.iter().enumerate().flat_map(|(at, bucket)| {
            [(of_bucket(at), i128::from(bucket.n)), (format!("b{at:02}_s"), bucket.s)]
        });
    let ratings = cell.ratings.iter().zip(1..).map(|(n, stars)| (format!("c{stars}"), i128::from(*n)));
    whole.chain(buckets).chain(ratings)
}

pub(super) fn to_cell(sums: &Sums) -> Result<Cell> {
    let sum = |name: &str| sums.get(name).copied().unwrap_or_default();
    let mut cell = Cell::default();
    cell.total.n = narrow(sum("n"))?;
    (cell.total.s1, cell.total.s2) = (sum("s1"), sum("s2"));
    for (at, bucket) in cell.buckets.iter_mut().enumerate() {
        *bucket = Bucket { n: narrow(sum(&of_bucket(at)))?, s: sum(&format!("b{at:02}_s")) };
    }
    for (rating, stars) in cell.ratings.iter_mut().zip(1..) {
        *rating = narrow(sum(&format!("c{stars}")))?;
    }
    Ok(cell)
}

/// The names that an item of an arm may have and this one lacks.
pub(super) fn lacking(sums: &Sums) -> Vec<String> {
    let nothing = Cell::default();
    let of_cells = numbers_of(&nothing).map(|(name, _)| name);
    let names = of_cells.chain(MET.map(str::to_owned));
    names.filter(|name| !sums.contains_key(name)).collect()
}

/// What is wanted of a stratum by itself, and what is wanted of all strata together alone: the parts of the users, and
/// the ratings.
pub(super) fn divide(sums: Sums) -> (Sums, Sums) {
    sums.into_iter().filter(|(_, sum)| *sum != 0).partition(|(name, _)| !name.starts_with(['b', 'c']))
}

/// The sums of an item as they stand among those of other strata; `what` is a measure's name, or what stands for one.
pub(super) fn of_stratum(allocation_version: u64, what: &str, sums: Sums) -> Sums {
    sums.into_iter().map(|(name, sum)| (format!("{allocation_version}#{what}#{name}"), sum)).collect()
}

/// Those of several items, by allocation version and what they are of.
pub(super) fn to_strata(sums: &Sums) -> Result<BTreeMap<(u64, &str), Sums>> {
    let mut strata: BTreeMap<(u64, &str), Sums> = BTreeMap::new();
    for (name, sum) in sums {
        let parts = name.split_once('#').and_then(|(version, rest)| Some((version, rest.split_once('#')?)));
        let (version, (what, own)) =
            parts.ok_or_else(|| Error::internal(format!("`{name}` is no counter of a stratum")))?;
        let version = version.parse().map_err(Error::internal)?;
        strata.entry((version, what)).or_default().insert(own.to_owned(), *sum);
    }
    Ok(strata)
}

fn narrow(sum: i128) -> Result<i64> {
    sum.try_into().map_err(|_| Error::internal(format!("a counter stands at {sum}, which none can reach")))
}

#[cfg(test)]
mod tests {
    use domain::measure::Measure;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counters_read_back_as_they_were_written(
            values in proptest::collection::vec((1.0..5.0_f64, any::<u64>()), 0..40),
            given in proptest::collection::vec((0..Count::ALL.len(), 1..1_000_000_i64), 0..40),
            latencies in proptest::collection::vec(0.0..1e6_f64, 0..40),
        ) {
            let mut cell = Cell::default();
            for (value, unit) in values {
                cell.add(Measure::UserRating, value, unit);
            }
            prop_assert_eq!(to_cell(&of_cell(&cell)).unwrap(), cell);
            let counts: Counts = given.into_iter().map(|(at, sum)| (Count::ALL[at], sum)).collect();
            prop_assert_eq!(to_counts(&of_counts(&counts)).unwrap(), counts);
            let mut histogram = Histogram::default();
            for latency in latencies {
                histogram.merge(&Histogram::of(latency), 1);
            }
            prop_assert_eq!(to_histogram(&of_histogram(&histogram)).unwrap(), histogram);
        }
    }

    #[test]
    fn strata_read_back_as_they_were_put_together() {
        let of = |measure, value, unit| {
            let mut cell = Cell::default();
            cell.add(measure, value, unit);
            divide(of_cell(&cell))
        };
        let (rated, spread) = of(Measure::UserRating, 5.0, 3);
        let (slow, _) = of(Measure::LatencyMs, 900.0, 4);
        assert_eq!(rated.keys().collect::<Vec<_>>(), ["n", "s1", "s2"]);
        assert_eq!(spread.keys().collect::<Vec<_>>(), ["b03_n", "b03_s", "c5"]);
        let mut held = of_stratum(7, "user_rating", rated.clone());
        merge(&mut held, of_stratum(7, "latency_ms", slow.clone()));
        merge(&mut held, of_stratum(12, "user_rating", rated.clone()));
        let strata = to_strata(&held).unwrap();
        let wanted =
            [((7, "latency_ms"), slow), ((7, "user_rating"), rated.clone()), ((12, "user_rating"), rated)];
        assert_eq!(strata, BTreeMap::from(wanted));
        assert!(to_strata(&[("n".to_owned(), 1)].into()).is_err());
    }

    #[test]
    fn a_day_tells_prompts_apart() {
        let counts = |calls| [(Count::Calls, calls), (Count::CostNanos, 7)].into_iter().collect::<Counts>();
        let (one, two) = (PromptId::from_bytes([1; 16]), PromptId::from_bytes([2; 16]));
        let mut sums = of_day(one, &counts(3));
        merge(&mut sums, of_day(two, &counts(4)));
        assert_eq!(to_day(&sums).unwrap(), BTreeMap::from([(one, counts(3)), (two, counts(4))]));
    }
}
