//! What a form of the console holds, and what a query of it asks: names and texts, in their order.

use std::str::FromStr;

use domain::Error;
use serde::{Serialize, Serializer};

/// The fields of a form. A name may come several times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`. Browsers end lines with CRLF there, whatever was typed.
    pub fn read(bytes: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(bytes);
        Self(pairs.map(|(name, text)| (name.into_owned(), text.replace("\r\n", "\n"))).collect())
    }

    /// The text under a name, as it was typed; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text)
    }

    /// The text under a name without blanks at its ends, unless nothing is left.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name).trim()).filter(|text| !text.is_empty())
    }

    /// All texts under a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// All names and texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The value under a name; an error there where it does not read, or is missing.
    pub fn value<T: FromStr<Err: ToString>>(&self, name: &str) -> domain::Result<T> {
        let missing = || Error::invalid(format!("/{name}"), "This is needed.");
        self.optional(name)?.ok_or_else(missing)
    }

    /// The value under a name, where there is one.
    pub fn optional<T: FromStr<Err: ToString>>(&self, name: &str) -> domain::Result<Option<T>> {
        let read = |text: &str| {
            text.parse().map_err(|error: T::Err| Error::invalid(format!("/{name}"), error.to_string()))
        };
        self.given(name).map(read).transpose()
    }

    /// Puts a text under a name, in place of those that were there.
    #[must_use]
    pub fn with(mut self, name: &str, text: impl Into<String>) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), text.into()));
        self
    }
}

impl Serialize for Fields {
    /// By name; of several texts the last.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_was_typed() {
        let fields = Fields::read(b"a=1%0D%0A2&b=+x+&a=3&c=%3Cb%3E");
        assert_eq!((fields.text("a"), fields.given("b"), fields.text("c")), ("1\n2", Some("x"), "<b>"));
        assert_eq!(fields.all("a").collect::<Vec<_>>(), ["1\n2", "3"]);
        assert_eq!((fields.text("d"), fields.given("d")), ("", None));
    }

    #[test]
    fn what_does_not_read_is_said_of_its_field() {
        let fields = Fields::read(b"n=x&m=7");
        assert_eq!(fields.value::<u32>("m").unwrap(), 7);
        assert_eq!(fields.value::<u32>("n").unwrap_err().problems()[0].pointer, "/n");
        assert_eq!(fields.value::<u32>("o").unwrap_err().problems()[0].pointer, "/o");
        assert_eq!(fields.optional::<u32>("o").unwrap(), None);
    }
}
