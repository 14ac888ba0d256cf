//! JSON lines: a prompt each, as `{"name", "text"}` with what else is known.

use client::versions::NewVersion;
use domain::{PromptName, TeamId, content::TemplateFormat};
use serde::Deserialize;

use super::PromptFile;

/// A line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: PromptName,
    #[serde(alias = "template_text", alias = "prompt")]
    text: String,
    #[serde(alias = "team_id")]
    team: Option<TeamId>,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    /// A kind in the collection's own words: a tag.
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(alias = "system_prompt")]
    system: Option<String>,
    #[serde(alias = "model_id")]
    model: Option<String>,
    #[serde(alias = "template_format")]
    format: Option<TemplateFormat>,
    temperature: Option<f64>,
    max_tokens: Option<u32>,
}

/// Reads all lines, or says all that is wrong. Text that says no format stands for itself.
pub(super) fn read(text: &str) -> Result<Vec<PromptFile>, String> {
    let (mut prompts, mut wrong) = (Vec::new(), Vec::new());
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(line) => prompts.push(prompt(line)),
            Err(error) => wrong.push(format!("line {}: {error}", at + 1)),
        }
    }
    if wrong.is_empty() { Ok(prompts) } else { Err(wrong.join("\n  ")) }
}

fn prompt(line: Line) -> PromptFile {
    let mut tags = line.tags;
    tags.extend(line.kind.filter(|kind| !tags.contains(kind)));
    PromptFile {
        team: line.team,
        name: line.name,
        version: None,
        description: line.description,
        tags,
        says: NewVersion {
            template_text: Some(line.text),
            system_prompt: line.system,
            template_format: line.format.unwrap_or(TemplateFormat::Plain),
            model_id: line.model,
            temperature: line.temperature,
            max_tokens: line.max_tokens,
            ..NewVersion::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_wrong_lines_are_told_by_number() {
        let read =
            read("{\"name\": \"a\", \"text\": \"x {{ y\", \"type\": \"text\"}\n\n{\"name\": \"b\"}\nno\n");
        let said = read.unwrap_err();
        assert!(said.contains("line 3: missing field `text`") && said.contains("line 4: "), "{said}");
        let read = super::read("{\"name\": \"a\", \"text\": \"x {{ y\", \"type\": \"text\"}").unwrap();
        assert_eq!(read[0].says.template_format, TemplateFormat::Plain);
        assert_eq!(read[0].tags, ["text"]);
    }
}
