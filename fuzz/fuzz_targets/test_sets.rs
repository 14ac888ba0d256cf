//! Test sets of anybody, in each format: whatever reads is stored in a form that reads as the same cases.

#![no_main]

use domain::test_set::{Format, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for format in [Format::Jsonl, Format::Csv, Format::Promptfoo] {
        if let Ok(parsed) = parse(format, bytes) {
            let stored = parse(Format::Jsonl, &parsed.jsonl).expect("what is stored reads");
            assert_eq!(stored.test_set, parsed.test_set);
        }
    }
});
