//! Prompty (`.prompty`): settings in YAML, a Jinja or mustache template, in which lines such as `system:` say who speaks.

use client::versions::NewVersion;
use domain::content::{Literal, Role, TemplateFormat, Variable, VariableType};
use serde::Deserialize;
use serde_json::{Map, Value, value::to_raw_value};

use super::{
    PromptFile,
    dotprompt::configure,
    front::{parts, settings},
    speakers::{Turn, put, role},
};

/// What is known of the settings; the others are about Prompty's own runtime.
#[derive(Deserialize)]
struct Front {
    name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    model: Option<Value>,
    /// `inputs`, or `inputSchema` in some files of version 2.
    #[serde(alias = "inputSchema")]
    inputs: Option<Value>,
    template: Option<Value>,
    tools: Option<Value>,
}

/// Reads a file; `stem` is its name without ending, for those that say none.
pub(super) fn read(text: &str, stem: &str) -> Result<PromptFile, String> {
    let parts = parts(text)?;
    let front: Front = settings(parts.front)?;
    if front.tools.is_some_and(|tools| tools.as_array().is_none_or(|tools| !tools.is_empty())) {
        return Err("`tools` are not read here: give them as `params` of a version".to_owned());
    }
    let mut says = NewVersion { template_format: format(front.template.as_ref())?, ..NewVersion::default() };
    if let Some(model) = &front.model {
        says.model_id = model_id(model);
        for options in [&model["options"], &model["parameters"]] {
            configure(&mut says, options.as_object().cloned().unwrap_or_default())?;
        }
    }
    put(&mut says, turns(parts.body.strip_suffix('\n').unwrap_or(parts.body)));
    says.variables = front.inputs.as_ref().map(variables).transpose()?;
    let name = front.name.unwrap_or_else(|| stem.to_owned()).parse()?;
    let Front { description, tags, .. } = front;
    Ok(PromptFile { team: None, name, version: None, description, tags, says })
}

/// How the template is written: Jinja when nothing is said.
fn format(template: Option<&Value>) -> Result<TemplateFormat, String> {
    let Some(template) = template else { return Ok(TemplateFormat::Jinja) };
    let format = template.get("format").unwrap_or(template);
    let word = format.get("kind").unwrap_or(format).as_str();
    match word {
        Some("jinja2" | "jinja") | None => Ok(TemplateFormat::Jinja),
        Some("mustache") => Ok(TemplateFormat::Mustache),
        Some(other) => Err(format!("templates of `{other}` are not rendered here")),
    }
}

/// The model's id, in version 2 or in version 1.
fn model_id(model: &Value) -> Option<String> {
    let configuration = &model["configuration"];
    let named = [model, &model["id"], &configuration["azure_deployment"], &configuration["name"]];
    named.into_iter().find_map(Value::as_str).map(str::to_owned)
}

/// Divides a text at lines that are a role and a colon. What stands before the first is instructions.
fn turns(body: &str) -> Vec<Turn> {
    let mut turns = vec![Turn::Says(Role::System, String::new())];
    for line in body.split_inclusive('\n') {
        let word = line.trim().trim_start_matches('#').trim().strip_suffix(':');
        match (word.and_then(role), turns.last_mut()) {
            (Some(role), _) => turns.push(Turn::Says(role, String::new())),
            (None, Some(Turn::Says(_, said))) => said.push_str(line),
            (None, _) => {}
        }
    }
    turns
}

/// The variables: a map by name, a list of those with a name, or either below `properties`.
fn variables(inputs: &Value) -> Result<Vec<Variable>, String> {
    let inputs = inputs.get("properties").unwrap_or(inputs);
    match inputs {
        Value::Object(named) => named.iter().map(|(name, says)| variable(name, says)).collect(),
        Value::Array(listed) => {
            let name = |says: &Value| says["name"].as_str().map(str::to_owned);
            let named = listed.iter().map(|says| name(says).map(|name| (name, says)));
            named
                .map(|found| found.ok_or_else(|| "an input has no name".to_owned()))
                .map(|found| found.and_then(|(name, says)| variable(&name, says)))
                .collect()
        }
        _ => Err("`inputs` are neither a map nor a list".to_owned()),
    }
}

/// A variable: with its settings, or with an example alone.
fn variable(name: &str, says: &Value) -> Result<Variable, String> {
    let none = Map::new();
    let settings = says.as_object().unwrap_or(&none);
    let word = settings.get("kind").or_else(|| settings.get("type")).and_then(Value::as_str);
    let kind = match word {
        Some("string") => VariableType::String,
        Some("number" | "integer" | "float") => VariableType::Number,
        None if !says.is_object() => VariableType::String,
        _ => VariableType::Json,
    };
    let default = settings.get("default").map(to_raw_value).transpose().map_err(|error| error.to_string())?;
    let required = settings.get("required").and_then(Value::as_bool).unwrap_or(true);
    let description = settings.get("description").and_then(Value::as_str).map(str::to_owned);
    Ok(Variable { name: name.to_owned(), kind, required, default: default.map(Literal), description })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION_2: &str = "---\nname: Support\ndescription: Answers\nmodel:\n  id: gpt-4o\n  options:\n    \
        temperature: 0.2\n    maxOutputTokens: 300\ninputs:\n  question:\n    kind: string\n    description: theirs\n  \
        facts:\n    kind: array\n    required: false\ntemplate:\n  format: mustache\n---\nsystem:\nBe kind.\n\nuser:\n{{question}}\n";

    #[test]
    fn roles_become_messages_and_inputs_variables() {
        let read = read(VERSION_2, "x").unwrap();
        assert_eq!((read.name.as_str(), read.description.as_deref()), ("Support", Some("Answers")));
        assert_eq!(
            serde_json::to_value(&read.says.messages).unwrap(),
            serde_json::json!([
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "{{question}}"},
            ])
        );
        assert_eq!((read.says.model_id.as_deref(), read.says.max_tokens), (Some("gpt-4o"), Some(300)));
        let variables = read.says.variables.unwrap();
        let seen: Vec<_> = variables.iter().map(|v| (v.name.as_str(), v.kind, v.required)).collect();
        assert_eq!(seen, [("facts", VariableType::Json, false), ("question", VariableType::String, true)]);
    }

    #[test]
    fn version_1_is_read_too_and_tools_are_refused() {
        let text = "---\nmodel:\n  api: chat\n  configuration:\n    azure_deployment: gpt-35\n  parameters:\n    \
            max_tokens: 100\nsample:\n  name: Jane\n---\nHello {{name}}\n";
        let found = read(text, "greeting").unwrap();
        assert_eq!((found.name.as_str(), found.says.model_id.as_deref()), ("greeting", Some("gpt-35")));
        assert_eq!(found.says.template_format, TemplateFormat::Jinja);
        assert!(read("---\ntools:\n- name: a\n---\nx", "x").unwrap_err().contains("tools"));
    }
}
