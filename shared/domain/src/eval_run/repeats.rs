//! A case that was asked several times is one observation.

use crate::assertion::{AssertionResult, CaseScore};

/// The mean of a case's scores, assertion by assertion. It passes, as each assertion does, where more than half of
/// the answers do. `None` without any.
///
/// The scores are of the same case, so their assertions are the same.
pub fn average(scores: &[CaseScore]) -> Option<CaseScore> {
    let (first, _) = scores.split_first()?;
    let results = (0..first.results.len()).filter_map(|at| {
        let of_assertion: Option<Vec<&AssertionResult>> =
            scores.iter().map(|score| score.results.get(at)).collect();
        assertion(&of_assertion?)
    });
    Some(CaseScore {
        passed: most(scores.iter().map(|score| score.passed)),
        score: mean(scores.iter().map(|score| score.score)),
        results: results.collect(),
    })
}

fn assertion(results: &[&AssertionResult]) -> Option<AssertionResult> {
    let (first, _) = results.split_first()?;
    // What went wrong is more use than what went well.
    let telling = results.iter().find(|result| !result.passed).unwrap_or(first);
    let members = (0..first.members.len()).filter_map(|at| {
        let of_member: Option<Vec<&AssertionResult>> =
            results.iter().map(|result| result.members.get(at)).collect();
        assertion(&of_member?)
    });
    Some(AssertionResult {
        passed: most(results.iter().map(|result| result.passed)),
        score: mean(results.iter().map(|result| result.score)),
        reason: telling.reason.clone(),
        members: members.collect(),
        ..(*first).clone()
    })
}

fn most(held: impl ExactSizeIterator<Item = bool>) -> bool {
    let all = held.len();
    2 * held.filter(|held| *held).count() > all
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let number = f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
    values.sum::<f64>() / number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(passed: bool, score: f64) -> CaseScore {
        let result = AssertionResult {
            kind: "similar".to_owned(),
            metric: None,
            passed,
            score,
            weight: 1.0,
            reason: if passed { "as expected".to_owned() } else { "too far".to_owned() },
            members: Vec::new(),
        };
        CaseScore { passed, score, results: vec![result] }
    }

    #[test]
    fn a_case_asked_three_times_is_one_observation() {
        let two_of_three = [scored(true, 0.9), scored(false, 0.3), scored(true, 0.9)];
        let average_of = average(&two_of_three).unwrap();
        assert!(average_of.passed && (average_of.score - 0.7).abs() < 1e-12);
        assert!((average_of.results[0].score - 0.7).abs() < 1e-12);
        assert_eq!(average_of.results[0].reason, "too far");
        assert!(!average(&two_of_three[..2]).unwrap().passed, "one of two is not most");
        assert_eq!(average(&two_of_three[..1]).unwrap(), two_of_three[0]);
        assert!(average(&[]).is_none());
    }
}
