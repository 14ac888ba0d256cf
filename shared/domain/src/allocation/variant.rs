//! The arms of an experiment as a person asks for them.

use super::Arm;
use crate::{Error, FieldProblem, Result, VersionPointer};

/// A token says an arm's key behind a length of one byte.
pub const MAX_KEY_BYTES: usize = 255;

/// How many arms an experiment has.
const ARMS: std::ops::RangeInclusive<usize> = 2..=10;

/// How far the weights may be from 1 in all.
const TOLERANCE: f64 = 1e-6;

/// An arm as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its key; left out, it is A, B, C, … by its place.
    pub key: Option<String>,
    /// What it serves.
    pub version: VersionPointer,
    /// Its share of the traffic; left out of all variants, the shares are equal.
    pub weight: Option<f64>,
}

/// The arms of these variants, the control first. All that is wrong is said together, below `/variants`.
pub fn arms(variants: &[Variant]) -> Result<Vec<Arm>> {
    if !ARMS.contains(&variants.len()) {
        let detail = format!("An experiment has 2 to 10 variants, and these are {}.", variants.len());
        return Err(Error::invalid("/variants", detail));
    }
    let weights = weights(variants);
    let arms: Vec<Arm> = variants
        .iter()
        .zip(('A'..='J').zip(weights.as_deref().unwrap_or_default().iter().chain(std::iter::repeat(&0.0))))
        .map(|(variant, (letter, weight))| Arm {
            key: variant.key.clone().unwrap_or_else(|| letter.to_string()),
            version: variant.version,
            weight: *weight,
        })
        .collect();
    let wrong_keys = (0..arms.len()).filter_map(|at| {
        let detail = wrong_key(&arms[at].key, &arms[..at])?;
        Some(FieldProblem { pointer: format!("/variants/{at}/key"), detail })
    });
    let wrong_weights = weights.as_ref().err().cloned();
    Error::check(wrong_keys.chain(wrong_weights).collect())?;
    Ok(arms)
}

fn wrong_key(key: &str, before: &[Arm]) -> Option<String> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Some(format!("A variant's key has 1 to {MAX_KEY_BYTES} bytes."));
    }
    if key.bytes().any(|byte| byte < 0x20) {
        return Some("A variant's key has no control characters such as line breaks.".to_owned());
    }
    if key.starts_with("__") {
        return Some("Keys that begin with `__` are ours. Choose another one.".to_owned());
    }
    let taken = before.iter().any(|arm| arm.key == key);
    taken.then(|| format!("Two variants have the key `{key}`. Give each its own."))
}

fn weights(variants: &[Variant]) -> std::result::Result<Vec<f64>, FieldProblem> {
    let wrong = |detail: &str| FieldProblem { pointer: "/variants".to_owned(), detail: detail.to_owned() };
    let given: Vec<f64> = variants.iter().filter_map(|variant| variant.weight).collect();
    let total: f64 = given.iter().sum();
    if given.is_empty() {
        let equal = f64::from(u32::try_from(variants.len()).unwrap_or(u32::MAX)).recip();
        Ok(vec![equal; variants.len()])
    } else if given.len() < variants.len() {
        Err(wrong("Give every variant a traffic_weight, or none: then the shares are equal."))
    } else if !given.iter().all(|weight| (0.0..=1.0).contains(weight)) {
        Err(wrong("Each traffic_weight lies between 0 and 1."))
    } else if (total - 1.0).abs() > TOLERANCE {
        Err(wrong(&format!("The traffic_weights are {total} in all, and must be 1.")))
    } else {
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VersionId;

    fn variant(key: Option<&str>, weight: Option<f64>) -> Variant {
        let version = VersionPointer { number: 1, id: VersionId::from_bytes([1; 16]) };
        Variant { key: key.map(str::to_owned), version, weight }
    }

    fn keyed(keys: &[&str]) -> Result<Vec<Arm>> {
        arms(&keys.iter().map(|key| variant(Some(key), None)).collect::<Vec<_>>())
    }

    fn weighted(weights: &[Option<f64>]) -> Result<Vec<f64>> {
        let variants: Vec<_> = weights.iter().map(|weight| variant(None, *weight)).collect();
        Ok(arms(&variants)?.iter().map(|arm| arm.weight).collect())
    }

    #[test]
    fn left_out_keys_are_letters_and_left_out_weights_are_equal() {
        let ten = arms(&vec![variant(None, None); 10]).unwrap();
        let keys: String = ten.iter().map(|arm| arm.key.as_str()).collect();
        assert_eq!(keys, "ABCDEFGHIJ");
        assert!(ten.iter().all(|arm| (arm.weight - 0.1).abs() < 1e-15));
    }

    #[test]
    fn two_to_ten() {
        for count in [0, 1, 11] {
            let error = arms(&vec![variant(None, None); count]).unwrap_err();
            assert_eq!(error.problems()[0].pointer, "/variants", "{count}");
        }
    }

    #[test]
    fn keys_are_distinct_short_and_printable() {
        let longest = "é".repeat(127) + "x";
        assert_eq!(keyed(&[&longest, "a b/ü"]).unwrap()[0].key.len(), MAX_KEY_BYTES);
        let too_long = longest + "x";
        for wrong in ["", "a\nb", "a\0", "\u{1f}", "__enroll", "A", &too_long] {
            let error = keyed(&["A", wrong]).unwrap_err();
            assert_eq!(error.problems()[0].pointer, "/variants/1/key", "{wrong:?}");
        }
        let implied = [variant(Some("B"), None), variant(None, None)];
        assert!(arms(&implied).is_err(), "the second one would be B by its place");
    }

    #[test]
    fn weights_are_one_in_all() {
        assert_eq!(weighted(&[Some(0.25), Some(0.75)]).unwrap(), [0.25, 0.75]);
        assert_eq!(weighted(&[Some(0.0), Some(1.0)]).unwrap(), [0.0, 1.0]);
        assert!(weighted(&[Some(0.333_333_3), Some(0.333_333_3), Some(0.333_333_3)]).is_ok());
        for wrong in [
            [Some(0.5), None],
            [Some(0.5), Some(0.500_01)],
            [Some(0.5), Some(0.499_99)],
            [Some(-0.5), Some(1.5)],
            [Some(f64::NAN), Some(0.5)],
            [Some(f64::INFINITY), Some(0.5)],
        ] {
            assert!(weighted(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let wrong = [variant(Some(""), Some(2.0)), variant(Some("\n"), Some(0.5))];
        assert_eq!(arms(&wrong).unwrap_err().problems().len(), 3);
    }
}
