//! Traces: what a request sets going carries on the trace that its caller began (W3C Trace Context), so that it can be
//! followed through the log.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The id of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceId(u128);

impl TraceId {
    /// The trace that a `traceparent` names, if it is well formed.
    pub fn of_parent(header: &str) -> Option<Self> {
        header.split('-').nth(1)?.parse().ok()
    }
}

impl FromStr for TraceId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let id = u128::from_str_radix(text, 16).ok().filter(|id| fits && *id != 0);
        id.map(Self).ok_or_else(|| "A trace's id has 32 digits in hex, not all of them 0.".to_owned())
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl TryFrom<String> for TraceId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<TraceId> for String {
    fn from(id: TraceId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_known_by_its_parent() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        let parent = |id: &str| TraceId::of_parent(&format!("00-{id}-b7ad6b7169203331-01"));
        assert_eq!(parent(id).map(String::from).as_deref(), Some(id));
        assert_eq!(parent(&id.to_uppercase()), parent(id));
        for bad in ["", &id[1..], &"0".repeat(32), &"g".repeat(32), &format!("+{}", &id[1..])] {
            assert_eq!(parent(bad), None, "{bad}");
        }
    }
}
