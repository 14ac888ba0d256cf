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

pub(super) fn of_cell(cell: &Cell) -> Sums {
    let total = &cell.total;
    let whole = [("n", i128::from(total.n)), ("s1", total.s1), ("s2", total.s2)];
    let whole = whole.into_iter().map(|(name, sum)| (name.to_owned(), sum));
    let buckets = cell.buckets.iter().enumerate().flat_map(|(at, bucket)| {
        [(format!("b{at:02}_n"), i128::from(bucket.n)), (format!("b{at:02}_s"), bucket.s)]
    });
    let ratings = cell.ratings.iter().zip(1..).map(|(n, stars)| (format!("c{stars}"), i128::from(*n)));
    whole.chain(buckets).chain(ratings).filter(|(_, sum)| *sum != 0).collect()
}

pub(super) fn to_cell(sums: &Sums) -> Result<Cell> {
    let sum = |name: &str| sums.get(name).copied().unwrap_or_default();
    let mut cell = Cell::default();
    cell.total.n = narrow(sum("n"))?;
    (cell.total.s1, cell.total.s2) = (sum("s1"), sum("s2"));
    for (at, bucket) in cell.buckets.iter_mut().enumerate() {
        *bucket = Bucket { n: narrow(sum(&format!("b{at:02}_n")))?, s: sum(&format!("b{at:02}_s")) };
    }
    for (rating, stars) in cell.ratings.iter_mut().zip(1..) {
        *rating = narrow(sum(&format!("c{stars}")))?;
    }
    Ok(cell)
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
    fn a_day_tells_prompts_apart() {
        let counts = |calls| [(Count::Calls, calls), (Count::CostNanos, 7)].into_iter().collect::<Counts>();
        let (one, two) = (PromptId::from_bytes([1; 16]), PromptId::from_bytes([2; 16]));
        let mut sums = of_day(one, &counts(3));
        merge(&mut sums, of_day(two, &counts(4)));
        assert_eq!(to_day(&sums).unwrap(), BTreeMap::from([(one, counts(3)), (two, counts(4))]));
    }
}
