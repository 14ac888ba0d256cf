//! The values that a caller gives for a prompt's variables.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::{Error, ErrorKind, Result};

/// The most that one request may give, in bytes of JSON.
pub const MAX_VALUES: usize = 256 << 10;

/// Values by variable name, each as the JSON that the caller wrote.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<String, Box<RawValue>>);

impl Values {
    /// Reads a JSON object. Where a name stands twice, the last value counts.
    ///
    /// Text that is no JSON is [`ErrorKind::MalformedJson`]; other JSON, and more than [`MAX_VALUES`], is invalid
    /// at `/variables`.
    pub fn parse(json: &str) -> Result<Self> {
        if json.len() > MAX_VALUES {
            let detail = format!("The variables are longer than {} KiB.", MAX_VALUES >> 10);
            return Err(Error::invalid("/variables", detail));
        }
        match serde_json::from_str(json) {
            Ok(values) => Ok(Self(values)),
            Err(error) if error.is_data() => {
                Err(Error::invalid("/variables", "The variables must be a JSON object.").caused_by(error))
            }
            Err(error) => {
                let detail = format!("The variables are no JSON: {error}.");
                Err(Error::new(ErrorKind::MalformedJson, detail).caused_by(error))
            }
        }
    }

    /// Takes out what a caller gave under a name.
    pub fn take(&mut self, name: &str) -> Option<Box<RawValue>> {
        self.0.remove(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).map(AsRef::as_ref)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }
}
