//! Prompt files of anybody, in each form that is imported.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for name in ["a.prompt.md", "a.prompt", "a.prompty", "a.jsonl"] {
        let _ = cuecard::is_imported(name, text);
    }
});
