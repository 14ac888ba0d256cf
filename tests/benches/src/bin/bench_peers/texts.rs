//! The prompts that all systems serve.

use std::path::Path;

use benches::{Outcome, prompt::prompt_of_1_kb};
use e2e::report::line;
use serde::Deserialize;

#[derive(Deserialize)]
struct Given {
    text: String,
}

/// A prompt, under a name that every system takes.
pub(crate) struct Text {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The first prompts of the real data, or as many that are made.
pub(crate) fn read(folder: &Path, prompts: usize) -> Outcome<Vec<Text>> {
    let given = if folder.exists() {
        let lines = std::fs::read_to_string(folder.join("prompts-500.jsonl"))?;
        let given = lines.lines().take(prompts).map(|line| Ok(serde_json::from_str::<Given>(line)?.text));
        given.collect::<Outcome<Vec<_>>>()?
    } else {
        line(&format!("There is no folder {}: the prompts are made ones of 1 KB.", folder.display()));
        let made = prompt_of_1_kb();
        let made = made["template_text"].as_str().unwrap_or_default();
        (0..prompts).map(|number| format!("{number}: {made}")).collect()
    };
    if given.len() < prompts || prompts == 0 {
        return Err(format!("{prompts} prompts were wanted, and {} are there", given.len()).into());
    }
    let named = given.into_iter().enumerate();
    Ok(named.map(|(number, text)| Text { name: format!("prompt-{number}"), text }).collect())
}
