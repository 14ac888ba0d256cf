//! What is known of a case that is not done: when it comes again, nothing that was paid for is asked for again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{assertion::Judgement, money::Usd};

/// What a model said to a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// In its words.
    pub output: String,
    /// How long it took, in ms.
    pub latency_ms: u64,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// What the call cost.
    pub cost_usd: Usd,
}

/// What a judge said of that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its judgement.
    #[serde(with = "JudgementItem")]
    pub judgement: Judgement,
    /// What the call cost.
    pub cost_usd: Usd,
}

/// How a judgement is stored.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Judgement", rename_all = "snake_case")]
enum JudgementItem {
    Similarity(f64),
    Graded { pass: bool, score: f64, reason: String },
}

/// One answer to a case, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// The answer itself.
    pub said: Option<Said>,
    /// What judges said of it, by the place of the assertion.
    pub judged: BTreeMap<usize, Judged>,
}

impl Draft {
    /// What it has that a former one had not.
    #[must_use]
    pub fn beyond(mut self, former: &Self) -> Self {
        self.said = self.said.filter(|_| former.said.is_none());
        self.judged.retain(|at, _| !former.judged.contains_key(at));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(score: f64) -> Judged {
        let judgement = Judgement::Graded { pass: true, score, reason: "r".to_owned() };
        Judged { judgement, cost_usd: Usd::from_nanos(7) }
    }

    #[test]
    fn what_was_known_before_is_left_out() {
        let said = Said {
            output: "yes".to_owned(),
            latency_ms: 1,
            input_tokens: 2,
            output_tokens: 3,
            cost_usd: Usd::from_nanos(4),
        };
        let before = Draft { said: Some(said.clone()), judged: BTreeMap::from([(0, judged(0.1))]) };
        let after = Draft { judged: BTreeMap::from([(0, judged(0.1)), (2, judged(0.3))]), ..before.clone() };
        let new = Draft { said: None, judged: BTreeMap::from([(2, judged(0.3))]) };
        assert_eq!(after.clone().beyond(&before), new);
        assert_eq!(after.clone().beyond(&Draft::default()), after);
    }

    #[test]
    fn a_judgement_is_read_as_it_was_written() {
        let near = Judged { judgement: Judgement::Similarity(0.5), ..judged(0.0) };
        for judged in [near, judged(0.25)] {
            let written = serde_json::to_value(&judged).unwrap();
            assert_eq!(serde_json::from_value::<Judged>(written).unwrap(), judged);
        }
    }
}
