//! Hours and days in UTC, by which counters are kept.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Timestamp;

const MILLIS: i64 = 3_600_000;

/// An hour, counted since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hour(i64);

impl Hour {
    /// The hour that a moment is in.
    pub fn of(moment: Timestamp) -> Self {
        Self(moment.as_millis().div_euclid(MILLIS))
    }

    /// The first hour of its day.
    #[must_use]
    pub fn midnight(self) -> Self {
        Self(self.0.div_euclid(24) * 24)
    }

    /// When it begins.
    pub fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_mul(MILLIS))
    }

    /// Its day, such as `2026-11-20`.
    pub fn date(self) -> String {
        let text = self.start().to_string();
        text.get(..10).unwrap_or_default().to_owned()
    }
}

impl fmt::Display for Hour {
    /// Writes `2026-11-20T07`, which sorts as the hours do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start().to_string();
        f.write_str(text.get(..13).unwrap_or_default())
    }
}

impl FromStr for Hour {
    type Err = String;

    /// Reads `2026-11-20T07`, and a day as its first hour.
    fn from_str(text: &str) -> Result<Self, String> {
        let hour = if text.contains('T') { text.to_owned() } else { format!("{text}T00") };
        let moment = format!("{hour}:00:00Z").parse();
        moment.map(Self::of).map_err(|_| format!("`{text}` is not an hour such as 2026-11-20T07"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_reads_back_and_knows_its_day() {
        let hour = Hour::of("2026-11-20T07:59:59.999Z".parse().unwrap());
        assert_eq!(hour.to_string(), "2026-11-20T07");
        assert_eq!("2026-11-20T07".parse(), Ok(hour));
        assert_eq!(
            (hour.date().as_str(), hour.midnight().to_string().as_str()),
            ("2026-11-20", "2026-11-20T00")
        );
        assert_eq!("2026-11-20".parse(), Ok(hour.midnight()));
        assert!("today".parse::<Hour>().is_err());
    }
}
