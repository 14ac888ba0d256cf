//! A file of settings and text: YAML between two lines of `---`, then the text.

use serde::de::DeserializeOwned;

/// The line around the settings.
pub(super) const FENCE: &str = "---\n";

/// What ends a line in YAML: a text that ends with one of these is written without another.
const YAML_BREAKS: [char; 4] = ['\n', '\u{85}', '\u{2028}', '\u{2029}'];

/// A file in its two parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'t> {
    /// The YAML, with the ending of its last line.
    pub front: &'t str,
    /// All after the second fence, as it is.
    pub body: &'t str,
    /// The number of the first line of the body.
    pub body_line: usize,
}

/// Takes a file apart.
pub(super) fn parts(text: &str) -> Result<Parts<'_>, String> {
    let missing = "it begins with settings in YAML between two lines of ---";
    let rest = text.strip_prefix(FENCE).ok_or(missing)?;
    let (front, body) = if let Some(body) = rest.strip_prefix(FENCE) {
        ("", body)
    } else {
        let begins_a_line = |(at, _): &(usize, &str)| rest[..*at].ends_with(YAML_BREAKS);
        let (at, _) = rest.match_indices(FENCE).find(begins_a_line).ok_or(missing)?;
        (&rest[..at], &rest[at + FENCE.len()..])
    };
    Ok(Parts { front, body, body_line: front.matches('\n').count() + 3 })
}

/// Reads the settings.
pub(super) fn settings<T: DeserializeOwned>(front: &str) -> Result<T, String> {
    let front = if front.trim().is_empty() { "{}" } else { front };
    yaml_serde::from_str(front).map_err(|error| format!("the settings do not read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_begins_after_the_second_fence_and_may_hold_more_of_them() {
        let found = parts("---\na: 1\n---\nx\n---\ny").unwrap();
        assert_eq!(found, Parts { front: "a: 1\n", body: "x\n---\ny", body_line: 4 });
        assert_eq!(parts("---\n---\n").unwrap(), Parts { front: "", body: "", body_line: 3 });
        let exotic = parts("---\na: |+\n  ---\n\u{2028}---\nx").unwrap();
        assert_eq!((exotic.front, exotic.body), ("a: |+\n  ---\n\u{2028}", "x"));
        assert!(parts("a: 1\n").is_err() && parts("---\na: 1\n").is_err());
    }
}
