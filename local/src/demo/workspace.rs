//! What the demo workspace consists of, from the files in `demo`.

use std::collections::{BTreeMap, HashMap};

use domain::{
    Environment, Error, PromptName, Result, TeamId,
    content::{Body, FewShotExample, MessageTemplate, TemplateFormat, Variable},
    gate::GatePolicy,
    version::NewVersion,
};
use serde::Deserialize;
use serde_json::Map;

/// 200 labelled support messages, as JSONL.
pub(super) const TEST_SET: &str = include_str!("../../demo/support-tickets.jsonl");

const PROMPTS: &str = include_str!("../../demo/prompts.json");
/// One few-shot pair a line; the output is the category.
const EXAMPLES: &str = include_str!("../../demo/support-examples.jsonl");

/// A prompt of the workspace.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoPrompt {
    pub(super) team_id: TeamId,
    pub(super) name: PromptName,
    pub(super) description: String,
    pub(super) tags: Vec<String>,
    /// The name of the test set that its versions are evaluated against.
    pub(super) test_set: Option<String>,
    pub(super) gate: Option<GatePolicy>,
    /// The numbers of the versions that become live in an environment, one after the other.
    pub(super) live: BTreeMap<Environment, Vec<u32>>,
    pub(super) versions: Vec<DemoVersion>,
}

/// A version of a prompt: a text or messages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoVersion {
    template_text: Option<String>,
    system_prompt: Option<String>,
    #[serde(default)]
    few_shot_examples: Vec<FewShotExample>,
    /// So many pairs of each category stand in for `few_shot_examples`.
    few_shot_examples_per_category: Option<usize>,
    #[serde(default)]
    messages: Vec<MessageTemplate>,
    template_format: TemplateFormat,
    variables: Vec<Variable>,
    model_id: String,
    temperature: f64,
    max_tokens: u32,
    note: String,
}

/// All prompts of the workspace.
pub(super) fn prompts() -> Result<Vec<DemoPrompt>> {
    serde_json::from_str(PROMPTS).map_err(Error::internal)
}

impl DemoPrompt {
    /// `team/name`.
    pub(super) fn address(&self) -> String {
        format!("{}/{}", self.team_id, self.name)
    }
}

impl DemoVersion {
    /// The version as an author would write it.
    pub(super) fn draft(&self) -> Result<NewVersion> {
        let few_shot_examples = match self.few_shot_examples_per_category {
            Some(count) => examples(count)?,
            None => self.few_shot_examples.clone(),
        };
        let body = match self.template_text.clone() {
            Some(template_text) => {
                Body::Text { template_text, system_prompt: self.system_prompt.clone(), few_shot_examples }
            }
            None => Body::Messages(self.messages.clone()),
        };
        Ok(NewVersion {
            body,
            template_format: self.template_format,
            variables: Some(self.variables.clone()),
            model_id: Some(self.model_id.clone()),
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            params: Map::new(),
            config: Map::new(),
            note: Some(self.note.clone()),
            based_on: None,
        })
    }
}

/// The first `count` pairs of each category, in the order of the file.
fn examples(count: usize) -> Result<Vec<FewShotExample>> {
    let all = serde_json::Deserializer::from_str(EXAMPLES).into_iter::<FewShotExample>();
    let mut seen = HashMap::new();
    let mut chosen = Vec::new();
    for example in all {
        let example = example.map_err(Error::internal)?;
        let of_category: &mut usize = seen.entry(example.output.clone()).or_default();
        *of_category += 1;
        if *of_category <= count {
            chosen.push(example);
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use domain::test_set::parse_jsonl;

    use super::*;

    #[test]
    fn every_version_is_one_that_an_author_could_write() {
        let prompts = prompts().unwrap();
        for prompt in &prompts {
            for (number, version) in prompt.versions.iter().enumerate() {
                let content = version.draft().unwrap().content(version.model_id.clone());
                assert!(content.is_ok(), "{} {}: {content:?}", prompt.address(), number + 1);
            }
            let numbers = prompt.live.values().flatten();
            assert!(
                numbers.into_iter().all(|&number| (1..=prompt.versions.len()).contains(&(number as usize)))
            );
        }
        assert_eq!(prompts.len(), 6);
    }

    #[test]
    fn the_test_set_is_one_that_could_be_uploaded() {
        assert_eq!(parse_jsonl(TEST_SET.as_bytes()).unwrap().cases.len(), 200);
    }

    #[test]
    fn examples_are_counted_by_category() {
        let one = examples(1).unwrap();
        let eight = examples(8).unwrap();
        assert_eq!((one.len(), eight.len()), (10, 80));
        assert!(one.iter().all(|example| eight.contains(example)));
    }
}
