//! Values that a person gives: variables, texts and documents, here or in files.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
    time::Duration,
};

use clap::Args;
use client::versions::Values;
use domain::{Timestamp, content::Literal};
use serde::de::DeserializeOwned;
use serde_json::value::to_raw_value;

use crate::failure::{Failure, Result};

/// The values of a prompt's variables.
#[derive(Args)]
pub struct Variables {
    /// A variable's value, as text; @FILE reads it
    #[arg(long = "var", value_name = "NAME=TEXT", allow_hyphen_values = true)]
    texts: Vec<String>,
    /// All values as a JSON object; @FILE reads it
    #[arg(long, value_name = "JSON")]
    vars: Option<String>,
}

impl Variables {
    /// The values, each as it was written.
    pub fn values(&self) -> Result<Values> {
        let mut values = Values::new();
        if let Some(json) = &self.vars {
            values = serde_json::from_str(&text(json)?)
                .map_err(|error| Failure::Usage(format!("--vars is no JSON object: {error}")))?;
        }
        for given in &self.texts {
            let (name, value) = given
                .split_once('=')
                .ok_or_else(|| Failure::Usage(format!("--var {given}: it would be NAME=TEXT")))?;
            // A text is always JSON.
            let literal = to_raw_value(&text(value)?).map_err(|error| Failure::Usage(error.to_string()))?;
            values.insert(name.to_owned(), Literal(literal));
        }
        Ok(values)
    }
}

/// A text as it is given, or that of the file that `@FILE` names (`@-`: standard input).
pub fn text(given: &str) -> Result<String> {
    match given.strip_prefix('@') {
        Some(path) => String::from_utf8(bytes(Path::new(path))?)
            .map_err(|_| Failure::Usage(format!("{path} is no text in UTF-8"))),
        None => Ok(given.to_owned()),
    }
}

/// What is in a file; `-` is standard input.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map_err(Failure::file("standard input"))?;
        return Ok(bytes);
    }
    fs::read(path).map_err(Failure::file(path))
}

/// A document in a file, as JSON or YAML.
pub fn document<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = bytes(path)?;
    let wrong = |error: &dyn std::error::Error| Failure::Usage(format!("{}: {error}", path.display()));
    if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
        return yaml_serde::from_slice(&bytes).map_err(|error| wrong(&error));
    }
    serde_json::from_slice(&bytes).map_err(|error| wrong(&error))
}

/// A moment: a time, or how long ago, as `30m`, `12h` or `7d`.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp> {
    let wrong =
        || Failure::Usage(format!("`{text}` is no time: it would be 2026-11-20T07:00:00Z, 30m, 12h or 7d"));
    let minutes = match text.chars().last() {
        Some('m') => 1,
        Some('h') => 60,
        Some('d') => 24 * 60,
        _ => return text.parse().map_err(|_| wrong()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Ok(now.minus(Duration::from_mins(count.saturating_mul(minutes).min(10 * 366 * 24 * 60))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_times_or_how_long_ago() {
        let now: Timestamp = "2026-11-20T07:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("30m", "2026-11-20T06:30:00Z"),
            ("7d", "2026-11-13T07:00:00Z"),
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ] {
            assert_eq!(moment(text, now).unwrap(), expected.parse().unwrap());
        }
        for wrong in ["", "7", "7y", "-1d", "d"] {
            assert!(moment(wrong, now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_are_as_they_were_written() {
        let given =
            Variables { texts: vec!["b=x=\"y\"".into()], vars: Some(r#"{"a": 1.50, "b": 2}"#.into()) };
        let values = given.values().unwrap();
        assert_eq!((values["a"].as_str(), values["b"].as_str()), ("1.50", r#""x=\"y\"""#));
    }
}
