//! What events come to, counted once more in the plainest way.

use std::collections::BTreeMap;

use domain::metric::Event;
use serde_json::{Value, json};

/// Events of one bucket and group.
#[derive(Default)]
pub(crate) struct Recount(Vec<Event>);

/// The mean of what is known.
fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0.0);
    values.into_iter().for_each(|value| (sum, n) = (sum + value, n + 1.0));
    (n > 0.0).then(|| sum / n)
}

fn share(told: impl IntoIterator<Item = bool>) -> Option<f64> {
    mean(told.into_iter().map(|yes| f64::from(u8::from(yes))))
}

/// Both are null, or numbers that hardly differ.
#[track_caller]
fn same(shown: &Value, expected: Option<f64>, within: f64) {
    match (shown.as_f64(), expected) {
        (None, None) => assert!(shown.is_null(), "{shown}"),
        (Some(shown), Some(expected)) => {
            assert!((shown - expected).abs() <= within * expected.abs(), "{shown} for {expected}");
        }
        _ => panic!("{shown} for {expected:?}"),
    }
}

/// As exact as numbers are.
const EXACT: f64 = 1e-12;

impl Recount {
    /// Events by what tells them apart.
    pub(crate) fn of<K: Ord>(events: &[Event], key: impl Fn(&Event) -> K) -> BTreeMap<K, Self> {
        let mut groups: BTreeMap<K, Self> = BTreeMap::new();
        for event in events {
            groups.entry(key(event)).or_default().0.push(event.clone());
        }
        groups
    }

    fn all<'a, T>(&'a self, of: impl Fn(&'a Event) -> Option<T>) -> impl Iterator<Item = T> {
        self.0.iter().filter_map(of)
    }

    /// Insists on what a team's day shows too.
    #[track_caller]
    pub(crate) fn assert_day_is(&self, row: &Value) {
        self.assert_use_is(row);
        same(&row["rating"], mean(self.all(|event| event.values.user_rating.map(f64::from))), EXACT);
    }

    /// Insists on a whole row.
    #[track_caller]
    pub(crate) fn assert_is(&self, row: &Value) {
        self.assert_use_is(row);
        same(&row["refusal_rate"], share(self.all(|event| event.values.refusal)), EXACT);
        same(&row["success_rate"], share(self.all(|event| event.values.success)), EXACT);
        same(&row["quality"], mean(self.all(|event| event.values.quality)), EXACT);
        same(&row["eval_score"], mean(self.all(|event| event.values.eval_score)), EXACT);
        same(&row["rating"]["mean"], mean(self.all(|event| event.values.user_rating.map(f64::from))), EXACT);
        let stars =
            |stars| self.all(|event| event.values.user_rating).filter(|given| *given == stars).count();
        assert_eq!(row["rating"]["histogram"], json!([1, 2, 3, 4, 5].map(stars)));
        #[expect(clippy::cast_precision_loss, reason = "costs of a test are small")]
        let cost = mean(self.all(|event| event.values.cost.map(|cost| cost.as_nanos() as f64 / 1e9)));
        same(&row["cost_per_call_usd"], cost, EXACT);
        self.assert_latency_is(&row["latency"]);
    }

    #[track_caller]
    fn assert_use_is(&self, row: &Value) {
        assert_eq!(row["calls"], self.0.len());
        let tokens = [
            self.all(|event| event.values.input_tokens).sum::<i64>(),
            self.all(|event| event.values.output_tokens).sum::<i64>(),
        ];
        assert_eq!([&row["input_tokens"], &row["output_tokens"]], [&json!(tokens[0]), &json!(tokens[1])]);
        let of_both = |event: &Event| {
            let values = &event.values;
            let tokens = values.input_tokens.unwrap_or_default() + values.output_tokens.unwrap_or_default();
            Some(f64::from(u32::try_from(tokens).unwrap()))
        };
        same(&row["tokens_per_call"], mean(self.all(of_both)), EXACT);
        same(&row["error_rate"], share(self.all(|event| event.values.error)), EXACT);
        let cost = self.all(|event| event.values.cost).sum::<domain::money::Usd>();
        assert_eq!(row["cost_usd"], json!(cost));
    }

    #[track_caller]
    fn assert_latency_is(&self, shown: &Value) {
        let mut latencies: Vec<f64> = self.all(|event| event.values.latency_ms).collect();
        latencies.sort_by(f64::total_cmp);
        if latencies.is_empty() {
            return assert!(shown.is_null(), "{shown}");
        }
        same(&shown["mean"], mean(latencies.iter().copied()), EXACT);
        for (name, percent) in [("p50", 50), ("p95", 95), ("p99", 99)] {
            same(&shown[name], Some(latencies[(latencies.len() - 1) * percent / 100]), 0.025);
        }
    }
}
