//! Our own form: the settings, and then the template as it is, with one line ending after it.

use client::versions::NewVersion;
use domain::{
    PromptName, TeamId,
    content::{FewShotExample, Literal, MessageTemplate, TemplateFormat, Variable, VariableType},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::to_raw_value};

use super::{
    PromptFile,
    front::{FENCE, parts, settings},
};
use crate::failure::{Failure, Result};

/// The settings, in the order in which they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    name: PromptName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Left out: Jinja.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    format: Option<TemplateFormat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    /// Left out: derived from the templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variables: Option<Vec<FrontVariable>>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    params: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    config: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    examples: Option<Vec<FewShotExample>>,
    /// Instead of a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<MessageTemplate>>,
}

/// A variable whose default is a text, or JSON in a text, which keeps a number as it was written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontVariable {
    name: String,
    #[serde(rename = "type", default)]
    kind: VariableType,
    #[serde(default = "yes")]
    required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

fn yes() -> bool {
    true
}

impl FrontVariable {
    fn new(variable: &Variable) -> Self {
        let default = variable.default.as_ref().map(|default| match variable.kind {
            VariableType::String => serde_json::from_str(default.as_str()).unwrap_or_default(),
            _ => Value::from(default.as_str()),
        });
        let Variable { name, kind, required, description, .. } = variable.clone();
        Self { name, kind, required, default, description }
    }

    fn variable(self) -> std::result::Result<Variable, String> {
        let json = match (self.kind, self.default) {
            (_, None) => None,
            (VariableType::Number | VariableType::Json, Some(Value::String(json))) => Some(json),
            (_, Some(value)) => Some(value.to_string()),
        };
        let literal = |json: String| {
            let value: &serde_json::value::RawValue = serde_json::from_str(&json)
                .map_err(|_| format!("the default of `{}` is no JSON: {json}", self.name))?;
            to_raw_value(value).map(Literal).map_err(|error| error.to_string())
        };
        Ok(Variable {
            default: json.map(literal).transpose()?,
            name: self.name,
            kind: self.kind,
            required: self.required,
            description: self.description,
        })
    }
}

/// Reads a file.
pub(super) fn read(text: &str) -> std::result::Result<PromptFile, String> {
    let parts = parts(text)?;
    let front: Front = settings(parts.front)?;
    let variables =
        front.variables.map(|all| all.into_iter().map(FrontVariable::variable).collect()).transpose()?;
    let template_text = match &front.messages {
        None => Some(parts.body.strip_suffix('\n').unwrap_or(parts.body).to_owned()),
        Some(_) if parts.body.trim().is_empty() => None,
        Some(_) => return Err("it has messages, so nothing may stand after the settings".to_owned()),
    };
    Ok(PromptFile {
        team: front.team,
        name: front.name,
        version: front.version,
        description: front.description,
        tags: front.tags,
        says: NewVersion {
            template_text,
            system_prompt: front.system,
            few_shot_examples: front.examples,
            messages: front.messages,
            template_format: front.format.unwrap_or_default(),
            variables,
            model_id: front.model,
            temperature: front.temperature,
            max_tokens: front.max_tokens,
            params: front.params,
            config: front.config,
            note: None,
            based_on: None,
        },
    })
}

/// Writes a file.
pub(super) fn write(prompt: &PromptFile) -> Result<String> {
    let says = prompt.says.clone();
    let body = says.template_text.map(|text| text + "\n");
    let front = Front {
        name: prompt.name.clone(),
        team: prompt.team.clone(),
        version: prompt.version,
        description: prompt.description.clone(),
        tags: prompt.tags.clone(),
        model: says.model_id,
        format: Some(says.template_format).filter(|format| *format != TemplateFormat::default()),
        temperature: says.temperature,
        max_tokens: says.max_tokens,
        variables: says.variables.map(|all| all.iter().map(FrontVariable::new).collect()),
        params: says.params,
        config: says.config,
        system: says.system_prompt,
        examples: says.few_shot_examples.filter(|examples| !examples.is_empty()),
        messages: says.messages,
    };
    let front = yaml_serde::to_string(&front)
        .map_err(|error| Failure::Failed(format!("{} cannot be written as YAML: {error}", prompt.name)))?;
    Ok(format!("{FENCE}{front}{FENCE}{}", body.unwrap_or_default()))
}

/// The same file, written on another version; all else stays as a person wrote it.
pub fn with_version(text: &str, version: u32) -> std::result::Result<String, String> {
    let front = parts(text)?.front;
    let line = format!("version: {version}\n");
    let mut lines: Vec<&str> = front.split_inclusive('\n').collect();
    match lines.iter().position(|line| line.starts_with("version:")) {
        Some(at) => lines[at] = &line,
        None => lines.push(&line),
    }
    Ok(text.replacen(front, &lines.concat(), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "---\nname: a/b c\nteam: support\n# Kept.\nversion: 3\nvariables:\n- name: n\n  type: number\n  \
        default: '1.50'\n- name: s\n  required: false\n  default: x\n---\nHello {{ n }}{{ s }}\n\n";

    #[test]
    fn the_template_is_all_but_the_last_line_ending() {
        let read = read(FILE).unwrap();
        assert_eq!(read.says.template_text.as_deref(), Some("Hello {{ n }}{{ s }}\n"));
        let variables = read.says.variables.clone().unwrap();
        let default = |at: usize| variables[at].default.as_ref().unwrap().as_str().to_owned();
        assert_eq!((default(0), default(1)), ("1.50".to_owned(), "\"x\"".to_owned()));
        assert_eq!(super::read(&write(&read).unwrap()).unwrap(), read);
    }

    #[test]
    fn a_version_takes_the_place_of_the_former_and_nothing_else_changes() {
        assert_eq!(with_version(FILE, 4).unwrap(), FILE.replace("version: 3", "version: 4"));
        let none = FILE.replace("version: 3\n", "");
        assert!(with_version(&none, 4).unwrap().contains("default: x\nversion: 4\n---\nHello"));
    }

    #[test]
    fn what_is_unknown_or_double_is_refused() {
        for wrong in [
            "---\nname: a\ntemprature: 1\n---\nx",
            "---\nname: a\nmessages: []\n---\nx",
            "---\nname: a\nvariables:\n- name: n\n  type: json\n  default: '{'\n---\nx",
            "x",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
