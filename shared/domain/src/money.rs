//! Money: whole nano-dollars inside, a decimal number of dollars outside.

use std::{
    fmt,
    iter::Sum,
    num::{ParseFloatError, ParseIntError},
    ops::AddAssign,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const NANOS_PER_DOLLAR: u64 = 1_000_000_000;

/// An amount of US dollars, never negative, exact to the nano-dollar.
///
/// JSON carries it as a decimal number: `0.15`. A JSON number is a double, which holds nano-dollars exactly up to
/// [`Usd::MOST`]; larger input is refused, and digits finer than a nano-dollar are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(u64);

impl Usd {
    /// The most that is read from outside: a million dollars.
    pub const MOST: Self = Self(1_000_000 * NANOS_PER_DOLLAR);

    /// An amount from nano-dollars, as counters hold it.
    pub fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The nano-dollars.
    pub fn as_nanos(self) -> u64 {
        self.0
    }

    fn of_dollars(dollars: f64) -> Result<Self, String> {
        if !(0.0..=1e6).contains(&dollars) {
            return Err("an amount in USD is a number from 0 to 1000000".to_owned());
        }
        // Nine printed decimals are the number rounded to nano-dollars; without the point they count them.
        let nanos = format!("{dollars:.9}").replace(['.', '-'], "");
        nanos.parse().map(Self).map_err(|error: ParseIntError| error.to_string())
    }

    /// What tokens cost when a million of each kind has its price. Rounded once, half up.
    pub fn of_tokens(priced: &[(u64, Self)]) -> Self {
        let millionths: u128 =
            priced.iter().map(|&(tokens, price)| u128::from(tokens) * u128::from(price.0)).sum();
        Self(u64::try_from((millionths + 500_000) / 1_000_000).unwrap_or(u64::MAX))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, more: Self) {
        self.0 = self.0.saturating_add(more.0);
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |mut total, amount| {
            total += amount;
            total
        })
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = format!("{}.{:09}", self.0 / NANOS_PER_DOLLAR, self.0 % NANOS_PER_DOLLAR);
        f.write_str(exact.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let dollars: f64 = self.to_string().parse().map_err(serde::ser::Error::custom)?;
        serializer.serialize_f64(dollars)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of_dollars(f64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl FromStr for Usd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::of_dollars(text.parse().map_err(|error: ParseFloatError| error.to_string())?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(json: &str) -> Usd {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn tokens_are_priced_exactly_and_rounded_once() {
        assert_eq!(Usd::of_tokens(&[(1_000, usd("0.15")), (10, usd("0.60"))]).as_nanos(), 156_000);
        // A third of a nano-dollar each way: two separate roundings would give zero.
        let thin = Usd::from_nanos(333_333);
        assert_eq!(Usd::of_tokens(&[(1, thin), (1, thin)]).as_nanos(), 1);
        assert_eq!(Usd::of_tokens(&[(u64::MAX, Usd::MOST)]).as_nanos(), u64::MAX);
    }

    #[test]
    fn only_amounts_are_read() {
        for wrong in ["-0.01", "1000000.1", "\"1\"", "null", "1e99"] {
            assert!(serde_json::from_str::<Usd>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(usd("3"), usd("3.0"));
        assert_eq!(usd("-0.0").as_nanos(), 0);
        assert_eq!(usd("0.0000000014").to_string(), "0.000000001");
        assert_eq!(usd("2500").to_string(), "2500");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in 0..=Usd::MOST.as_nanos()) {
            let amount = Usd::from_nanos(nanos);
            let json = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(usd(&json), amount);
        }
    }
}
