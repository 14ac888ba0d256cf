//! Metrics as people read them: counters summed by time, and by what they are of.

mod ranking;
mod reading;
mod variants;

use std::time::Duration;

use domain::{
    Error, Result, Timestamp,
    metric::{Hour, summary::Bucket},
};
pub use ranking::{Ranked, Ranking, Sort};
pub use reading::{Group, GroupBy, PromptMetrics, TeamMetrics};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// How far ahead a range may end: whoever asks for the month that runs gets what there is of it.
const AHEAD: Duration = DAY.saturating_mul(400);

/// How many rows an answer holds: they are far below the 6 MB that Lambda passes on.
const ROWS: usize = 8_000;

/// Which time is wanted, in buckets of which length.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// From when on; `None`: 24 hours before the end.
    pub from: Option<Timestamp>,
    /// Before when; `None`: until now, with the bucket that runs.
    pub to: Option<Timestamp>,
    /// How long the buckets are.
    pub bucket: Bucket,
}

/// Whole buckets of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Where the first bucket begins.
    pub from: Timestamp,
    /// Where the last one ends; the moment itself is not in it.
    pub to: Timestamp,
    /// How long they are.
    pub bucket: Bucket,
}

impl Range {
    /// The buckets that hold what is wanted. Those at its ends are whole ones too, so that a day is always the
    /// sum of its 24 hours.
    fn of(wanted: Wanted, now: Timestamp) -> Result<Self> {
        let bucket = wanted.bucket;
        let to = wanted.to.unwrap_or(now);
        let from = wanted.from.unwrap_or_else(|| to.minus(DAY));
        if to > now.plus(AHEAD) {
            return Err(Error::invalid("/to", "`to` lies more than 400 days ahead. Name an earlier time."));
        }
        let Some(length) = to.since(from).filter(|length| !length.is_zero()) else {
            return Err(Error::invalid("/from", format!("`from` must lie before the end, which is {to}.")));
        };
        let (most, name) = match bucket {
            Bucket::Hour => (31, "hour"),
            Bucket::Day => (400, "day"),
        };
        if length > DAY * most {
            let detail =
                format!("At most {most} days are shown by {name}. Ask for less time or longer buckets.");
            return Err(Error::invalid("/from", detail));
        }
        let first = bucket.of(Hour::of(from));
        // A named end is not in the range; the present moment is.
        let latest = wanted.to.map_or(now, |to| to.minus(Duration::from_millis(1)));
        let last = bucket.of(Hour::of(latest));
        Ok(Self { from: first.start(), to: last.start().plus(length_of(bucket)), bucket })
    }

    fn first(&self) -> Hour {
        Hour::of(self.from)
    }

    fn last(&self) -> Hour {
        Hour::of(self.to.minus(HOUR))
    }
}

/// Refuses more rows than an answer holds.
fn bounded<T>(rows: Vec<T>) -> Result<Vec<T>> {
    if rows.len() <= ROWS {
        return Ok(rows);
    }
    let found = rows.len();
    let detail =
        format!("These are {found} rows; an answer holds {ROWS}. Ask for less time or longer buckets.");
    Err(Error::invalid("/from", detail))
}

fn length_of(bucket: Bucket) -> Duration {
    match bucket {
        Bucket::Hour => HOUR,
        Bucket::Day => DAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-20T07:30:00.000Z";

    fn range(from: Option<&str>, to: Option<&str>, bucket: Bucket) -> Result<(String, String)> {
        let moment = |text: &str| text.parse::<Timestamp>().unwrap();
        let wanted = Wanted { from: from.map(moment), to: to.map(moment), bucket };
        Range::of(wanted, moment(NOW)).map(|range| (range.from.to_string(), range.to.to_string()))
    }

    fn whole(from: &str, to: &str) -> (String, String) {
        (format!("{from}:00:00.000Z"), format!("{to}:00:00.000Z"))
    }

    #[test]
    fn a_range_is_of_whole_buckets() {
        let day = range(None, None, Bucket::Day).unwrap();
        assert_eq!(day, whole("2026-11-19T00", "2026-11-21T00"));
        let hours = range(None, None, Bucket::Hour).unwrap();
        assert_eq!(hours, whole("2026-11-19T07", "2026-11-20T08"));
        let sharp = Wanted { from: None, to: None, bucket: Bucket::Hour };
        let sharp = Range::of(sharp, "2026-11-20T07:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(sharp.to.to_string(), "2026-11-20T08:00:00.000Z", "what happens now is in it");
        let exact = range(Some("2026-11-18T01:00:00Z"), Some("2026-11-18T03:00:00Z"), Bucket::Hour);
        assert_eq!(exact.unwrap(), whole("2026-11-18T01", "2026-11-18T03"), "the end is not in it");
    }

    #[test]
    fn more_rows_than_an_answer_holds_are_refused() {
        assert_eq!(bounded(vec![(); ROWS]).unwrap().len(), ROWS);
        assert_eq!(bounded(vec![(); ROWS + 1]).unwrap_err().problems()[0].pointer, "/from");
    }

    #[test]
    fn a_range_that_is_none_is_refused_at_its_place() {
        for (from, to, bucket, place) in [
            (Some("2026-11-20T07:30:00Z"), None, Bucket::Hour, "/from"),
            (Some("2026-11-21T00:00:00Z"), Some("2026-11-20T00:00:00Z"), Bucket::Day, "/from"),
            (Some("2026-10-20T07:29:59.999Z"), None, Bucket::Hour, "/from"),
            (Some("2025-10-16T07:29:59.999Z"), None, Bucket::Day, "/from"),
            (None, Some("9999-12-31T23:59:59Z"), Bucket::Day, "/to"),
        ] {
            let refused = range(from, to, bucket).unwrap_err();
            assert_eq!(refused.problems()[0].pointer, place, "{from:?} {to:?}");
        }
        range(Some("2026-10-20T07:30:00Z"), None, Bucket::Hour).unwrap();
        range(Some("2025-10-16T07:30:00Z"), None, Bucket::Day).unwrap();
        range(None, Some("0000-01-01T00:00:00Z"), Bucket::Day).unwrap();
    }
}
