//! What only a model can judge: the questions, and what their answers mean.

use super::{Finding, JUDGED_CHARS, MAX_OUTPUT_BYTES, cut, judge::JUDGE_VERSION, quote, reaches};

/// A question to a model about an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The place of its assertion in the case, from 0, when the members of sets stand where the sets do.
    pub at: usize,
    /// The model that answers, by its id in the catalogue; left out, the installation's default.
    pub provider: Option<String>,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked about an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// How near its meaning is to the nearest of these texts, by [`cosine`] of the embeddings.
    Similar {
        /// At least one.
        expected: Vec<String>,
    },
    /// Whether it satisfies a rubric: [`rubric_messages`](super::judge::rubric_messages).
    Rubric {
        /// The rubric.
        rubric: String,
    },
    /// Whether its facts agree with a reference:
    /// [`factuality_messages`](super::judge::factuality_messages).
    Factuality {
        /// The right answer.
        reference: String,
    },
}

/// A model's answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// To [`Ask::Similar`]: the greatest cosine over the expected texts, -1 to 1.
    Similarity(f64),
    /// To [`Ask::Rubric`] and [`Ask::Factuality`].
    Graded {
        /// Whether the judge lets it pass.
        pass: bool,
        /// How good it is, 0 to 1.
        score: f64,
        /// Why.
        reason: String,
    },
}

/// An assertion that a model judges.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) ask: Ask,
    pub(super) provider: Option<String>,
    /// The similarity or score to reach, 0 to 1.
    pub(super) threshold: Option<f64>,
}

impl Asked {
    pub(super) fn question(&self, at: usize) -> Question {
        Question { at, provider: self.provider.clone(), ask: self.ask.clone() }
    }

    /// Whether a judge's prompt is behind it.
    pub(super) fn is_judged(&self) -> bool {
        !matches!(self.ask, Ask::Similar { .. })
    }

    /// Embedding models refuse an empty text; it is similar to nothing.
    pub(super) fn needs_judgement(&self, output: &str) -> bool {
        output.len() <= MAX_OUTPUT_BYTES && (self.is_judged() || !output.trim().is_empty())
    }

    /// What a judgement means; the error says what is wrong with it.
    pub(super) fn find(&self, output: &str, judgement: Option<&Judgement>) -> Result<Finding, String> {
        let nothing = Judgement::Similarity(0.0);
        let judgement = if self.needs_judgement(output) { judgement } else { Some(&nothing) };
        match (&self.ask, judgement) {
            (_, None) => Err("has no judgement".to_owned()),
            (Ask::Similar { expected }, Some(Judgement::Similarity(cosine))) if cosine.is_finite() => {
                Ok(similar(expected, *cosine, self.threshold.unwrap_or_default()))
            }
            (
                Ask::Rubric { rubric: wanted } | Ask::Factuality { reference: wanted },
                Some(Judgement::Graded { pass, score, reason }),
            ) if (0.0..=1.0).contains(score) => {
                let what = if matches!(self.ask, Ask::Rubric { .. }) { "satisfy" } else { "agree with" };
                let least = self.threshold.map(|least| format!(" with a score of at least {least}"));
                Ok(Finding {
                    holds: *pass && self.threshold.is_none_or(|threshold| reaches(*score, threshold)),
                    score: *score,
                    expected: format!("{what} {}{}", quote(wanted), least.unwrap_or_default()),
                    got: format!("{score:.2} by judge prompt {JUDGE_VERSION}: {}", cut(reason, JUDGED_CHARS)),
                })
            }
            (_, Some(other)) => Err(format!("has a judgement of another kind or out of range: {other:?}")),
        }
    }
}

fn similar(expected: &[String], cosine: f64, threshold: f64) -> Finding {
    let (first, others) = (expected.first().map_or("", String::as_str), expected.len().saturating_sub(1));
    let others = match others {
        0 => String::new(),
        1 => " or 1 other text".to_owned(),
        _ => format!(" or {others} other texts"),
    };
    Finding {
        holds: reaches(cosine, threshold),
        score: cosine.clamp(0.0, 1.0),
        expected: format!("have a similarity of at least {threshold} to {}{others}", quote(first)),
        got: format!("{cosine:.4}"),
    }
}

/// The cosine of the angle between two vectors, -1 to 1: a·b / (|a| |b|). `None` when their lengths differ,
/// or when it does not exist because one is zero or not finite.
pub fn cosine(a: &[f64], b: &[f64]) -> Option<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let lengths = dot(a, a).sqrt() * dot(b, b).sqrt();
    let cosine = dot(a, b) / lengths;
    (a.len() == b.len() && lengths > 0.0 && lengths.is_finite() && cosine.is_finite())
        .then(|| cosine.clamp(-1.0, 1.0))
}
