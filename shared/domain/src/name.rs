//! The names that people choose: of prompts, teams and environments.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($check:path);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                $check(text).map(|()| Self(text.to_owned()))
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

names! {
    /// A prompt's name: 1 to 200 printable characters, also `/`, spaces and unicode; it does not begin like an id.
    PromptName(check_prompt_name);
    /// A team's id: `[a-z0-9_-]{1,64}`.
    TeamId(check_team);
    /// An environment's name: `[a-z0-9][a-z0-9._-]{0,35}`.
    Environment(check_environment);
}

/// The longest name of a prompt, in characters.
pub const MAX_NAME_CHARS: usize = 200;

/// How the ids of the API begin, also of those things that do not exist yet: names are for ever.
const ID_PREFIXES: [&str; 10] = ["prm", "ver", "tst", "evl", "exp", "rol", "evt", "key", "aud", "whk"];

/// The environment that the gate guards.
pub const PRODUCTION: &str = "production";

/// The environment before it.
pub const STAGING: &str = "staging";

/// The environment of callers that name none.
pub fn production() -> Environment {
    Environment(PRODUCTION.to_owned())
}

/// The environment before production.
pub fn staging() -> Environment {
    Environment(STAGING.to_owned())
}

impl Environment {
    /// Whether the gate guards it and a releaser is needed.
    pub fn is_production(&self) -> bool {
        self.0 == PRODUCTION
    }
}

fn check_prompt_name(text: &str) -> Result<(), String> {
    let begins_like_an_id = text.split_once('_').is_some_and(|(prefix, _)| ID_PREFIXES.contains(&prefix));
    let length = text.chars().count();
    if length == 0 || length > MAX_NAME_CHARS {
        Err(format!("A prompt's name has 1 to {MAX_NAME_CHARS} characters; this one has {length}."))
    } else if text.trim() != text || text.chars().any(char::is_control) {
        Err("A prompt's name holds printable characters only, without blanks at its ends.".to_owned())
    } else if begins_like_an_id {
        Err(format!("`{text}` begins like an id. Choose a name that does not."))
    } else {
        Ok(())
    }
}

fn check_team(text: &str) -> Result<(), String> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    if fits { Ok(()) } else { Err("A team id is 1 to 64 of a-z, 0-9, _ and -.".to_owned()) }
}

fn check_environment(text: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let fits = (1..=36).contains(&text.len())
        && text.bytes().enumerate().all(|(at, b)| plain(b) || (at > 0 && matches!(b, b'.' | b'_' | b'-')));
    if fits {
        Ok(())
    } else {
        Err("An environment is 1 to 36 of a-z, 0-9, ., _ and -, and begins with a letter or digit."
            .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_api_says() {
        for good in ["support/classifier", "ключ 🗝", "a", &"x".repeat(200)] {
            assert!(good.parse::<PromptName>().is_ok(), "{good}");
        }
        for bad in ["", "prm_x", "ver_1", "whk_", " a", "a\n", &"x".repeat(201)] {
            assert!(bad.parse::<PromptName>().is_err(), "{bad}");
        }
        assert!("team_1-b".parse::<TeamId>().is_ok() && "Team".parse::<TeamId>().is_err());
        assert!("eu-1.prod".parse::<Environment>().is_ok() && "-a".parse::<Environment>().is_err());
        assert!("a".repeat(37).parse::<Environment>().is_err());
    }
}
