//! Which version of a prompt: by id, by number, the newest, or what is live somewhere.

use std::{convert::Infallible, str::FromStr};

use domain::VersionId;

/// How a version is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// `ver_…`
    Id(VersionId),
    /// `4`
    Number(u32),
    /// `newest`
    Newest,
    /// `production`, `staging`, or any other environment.
    Live(String),
}

impl Which {
    /// What a text names.
    pub fn of(text: &str) -> Self {
        let Ok(which) = text.parse();
        which
    }
}

impl FromStr for Which {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let number = text.strip_prefix('v').unwrap_or(text).parse();
        Ok(match (number, text) {
            (Ok(number), _) => Self::Number(number),
            (_, "newest") => Self::Newest,
            (_, environment) => Self::Live(environment.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_in_four_ways() {
        let id = "ver_01M7WB040Z9H4WVFXV68AR44E7";
        let which = |text: &str| text.parse::<Which>().unwrap();
        assert_eq!(which(id), Which::Id(id.parse().unwrap()));
        assert_eq!((which("4"), which("v12")), (Which::Number(4), Which::Number(12)));
        assert_eq!((which("newest"), which("eu")), (Which::Newest, Which::Live("eu".to_owned())));
    }
}
