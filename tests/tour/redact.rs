//! What differs from one run to the next is cut to `…`.

use std::sync::LazyLock;

use regex::Regex;

/// Patterns, and what takes their place.
const CUTS: [(&str, &str); 6] = [
    (r"\bcue_[0-9A-Z]{26}_[0-9a-f]+", "cue_…"),
    (r"\b(prm|ver|tst|evl|aud|key|req)_[0-9A-Z]{26}\b", "${1}_…"),
    (r"\b[0-9a-f]{64}\b", "…"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "…"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b", "…"),
    (r"\b\d+ ms\b", "… ms"),
];

/// The text without ids, keys, hashes, times and latencies.
pub(crate) fn redacted(text: &str) -> String {
    static PATTERNS: LazyLock<Vec<(Regex, &str)>> =
        LazyLock::new(|| CUTS.map(|(pattern, instead)| (Regex::new(pattern).unwrap(), instead)).into());
    let cut =
        |text: String, (pattern, instead): &(Regex, &str)| pattern.replace_all(&text, *instead).into_owned();
    PATTERNS.iter().fold(text.to_owned(), cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_cut_and_nothing_else() {
        let id = "01M7WB040Z9H4WVFXV68AR44E7";
        let line = format!(
            r#""prm_{id}" cue_{id}_0a1b "{}" 2026-11-20T11:20:50.463Z 18 ms, 80 of 200 cases, "version_number":3"#,
            "0f".repeat(32)
        );
        let cut = r#""prm_…" cue_… "…" … … ms, 80 of 200 cases, "version_number":3"#;
        assert_eq!(redacted(&line), cut);
        assert_eq!(redacted(cut), cut);
    }
}
