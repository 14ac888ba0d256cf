//! dotprompt (`.prompt`): settings in YAML, a Handlebars template, a schema of its input.
//!
//! Names in braces, roles and the history are read. Sections, helpers and media are refused by line: what they render
//! would differ here.

use client::versions::NewVersion;
use domain::content::{Literal, Role, TemplateFormat, Variable, VariableType};
use serde::Deserialize;
use serde_json::{Map, Value, value::to_raw_value};

use super::{
    PromptFile,
    front::{parts, settings},
    speakers::{Turn, put, role},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Front {
    name: Option<String>,
    variant: Option<String>,
    /// A hash of dotprompt's own stores.
    #[serde(rename = "version")]
    _version: Option<Value>,
    description: Option<String>,
    model: Option<String>,
    #[serde(default)]
    config: Map<String, Value>,
    #[serde(default)]
    input: Input,
    output: Option<Value>,
    metadata: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    schema: Option<Map<String, Value>>,
    #[serde(default)]
    default: Map<String, Value>,
}

/// The placeholder of the messages that the caller has so far.
const HISTORY: &str = "history";

/// Reads a file; `stem` is its name without ending, for those that say none.
pub(super) fn read(text: &str, stem: &str) -> Result<PromptFile, String> {
    let parts = parts(text)?;
    let front: Front = settings(parts.front)?;
    let name = front.name.unwrap_or_else(|| stem.to_owned());
    let name = front.variant.map_or_else(|| name.clone(), |variant| format!("{name}.{variant}"));
    let mut says = NewVersion {
        template_format: TemplateFormat::Mustache,
        model_id: front.model,
        ..NewVersion::default()
    };
    configure(&mut says, front.config)?;
    for (field, value) in [("output", front.output), ("metadata", front.metadata)] {
        if let Some(value) = value {
            says.config.insert(field.to_owned(), value);
        }
    }
    let turns = turns(parts.body.strip_suffix('\n').unwrap_or(parts.body), parts.body_line)?;
    let has_history = turns.iter().any(|turn| matches!(turn, Turn::Placeholder(_)));
    put(&mut says, turns);
    says.variables = front.input.schema.map(|schema| variables(&schema, &front.input.default)).transpose()?;
    if let Some(variables) = says.variables.as_mut().filter(|_| has_history) {
        variables.push(Variable { required: false, ..variable(HISTORY, VariableType::Json) });
    }
    let name = name.parse()?;
    Ok(PromptFile { team: None, name, version: None, description: front.description, tags: Vec::new(), says })
}

/// Settings of the model, under the names that ours have; what has none is kept in `config`.
pub(super) fn configure(says: &mut NewVersion, config: Map<String, Value>) -> Result<(), String> {
    for (name, value) in config {
        let number = || value.as_f64().ok_or_else(|| format!("`{name}` is no number: {value}"));
        match name.as_str() {
            "temperature" => says.temperature = Some(number()?),
            "maxOutputTokens" | "max_tokens" | "maxTokens" | "max_output_tokens" => {
                let tokens = value.as_u64().and_then(|tokens| u32::try_from(tokens).ok());
                says.max_tokens =
                    Some(tokens.ok_or_else(|| format!("`{name}` is no number of tokens: {value}"))?);
            }
            "topP" | "top_p" => drop(says.params.insert("top_p".to_owned(), value)),
            "stopSequences" | "stop" => drop(says.params.insert("stop".to_owned(), value)),
            "seed" => drop(says.params.insert(name, value)),
            _ => drop(says.config.insert(name, value)),
        }
    }
    Ok(())
}

/// Takes a Handlebars template apart; `line` is the number of its first line.
fn turns(template: &str, line: usize) -> Result<Vec<Turn>, String> {
    let mut turns = vec![Turn::Says(Role::User, String::new())];
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let at = line + template[..template.len() - after.len()].matches('\n').count();
        let (inside, next) =
            after.split_once("}}").ok_or_else(|| format!("line {at}: `{{{{` is not closed"))?;
        push(&mut turns, before);
        rest = next;
        let words: Vec<_> = inside.split_whitespace().collect();
        match words.as_slice() {
            ["role", word] => {
                let role = role(word.trim_matches(['"', '\'']));
                let role = role.ok_or_else(|| format!("line {at}: there is no role {word}"))?;
                turns.push(Turn::Says(role, String::new()));
            }
            [word] if *word == HISTORY => {
                turns.push(Turn::Placeholder(HISTORY.to_owned()));
                turns.push(Turn::Says(Role::User, String::new()));
            }
            [name] if is_name(name) => push(&mut turns, &format!("{{{{{name}}}}}")),
            _ if inside.starts_with('!') => {}
            _ => {
                return Err(format!("line {at}: `{{{{{inside}}}}}` is Handlebars that is not rendered here"));
            }
        }
    }
    push(&mut turns, rest);
    Ok(turns)
}

fn is_name(word: &str) -> bool {
    let begins = word.starts_with(|c: char| c.is_alphabetic() || c == '_');
    begins && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

fn push(turns: &mut [Turn], text: &str) {
    if let Some(Turn::Says(_, said)) = turns.last_mut() {
        said.push_str(text);
    }
}

fn variable(name: &str, kind: VariableType) -> Variable {
    Variable { name: name.to_owned(), kind, required: true, default: None, description: None }
}

/// The variables of a schema: JSON Schema, or the short form `name?: type, description`.
fn variables(schema: &Map<String, Value>, defaults: &Map<String, Value>) -> Result<Vec<Variable>, String> {
    let is_json_schema = schema.get("type").is_some_and(|kind| kind == "object");
    let properties = schema.get("properties").filter(|_| is_json_schema).and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let declared = properties.unwrap_or(schema).iter().map(|(name, says)| {
        let (bare, optional) = if properties.is_some() {
            let asked = required.is_some_and(|names| names.iter().any(|asked| asked == name.as_str()));
            (name.as_str(), !asked)
        } else {
            let bare = name.split('(').next().unwrap_or(name);
            (bare.trim_end_matches('?'), bare.ends_with('?'))
        };
        let (word, description) = match says {
            Value::String(short) if bare.len() == name.trim_end_matches('?').len() => {
                let (word, rest) = short.split_once(',').unwrap_or((short, ""));
                (word.trim(), Some(rest.trim()))
            }
            Value::Object(long) => (text(long, "type").unwrap_or_default(), text(long, "description")),
            _ => ("", None),
        };
        let kind = match word {
            "string" => VariableType::String,
            "number" | "integer" => VariableType::Number,
            _ => VariableType::Json,
        };
        let default = defaults.get(bare).map(to_raw_value).transpose().map_err(|error| error.to_string())?;
        let description = description.filter(|words| !words.is_empty()).map(str::to_owned);
        let variable = variable(bare, kind);
        Ok(Variable { required: !optional, default: default.map(Literal), description, ..variable })
    });
    declared.collect()
}

fn text<'m>(map: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    map.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_history_become_messages_and_a_short_schema_variables() {
        let text = "---\nmodel: googleai/gemini-2.5-flash\nconfig:\n  temperature: 0.4\n  topP: 0.9\n  topK: 3\n\
            input:\n  schema:\n    text: string, what to sum up\n    words?: integer\n    tags(array): string\n  \
            default:\n    words: 50\n---\n{{role \"system\"}}\nSum up in {{words}} words.\n{{history}}\n{{ text }}\n";
        let read = read(text, "summary").unwrap();
        assert_eq!(
            (read.name.as_str(), read.says.model_id.as_deref()),
            ("summary", Some("googleai/gemini-2.5-flash"))
        );
        assert_eq!(
            serde_json::to_value(&read.says.messages).unwrap(),
            serde_json::json!([
                {"role": "system", "content": "Sum up in {{words}} words."},
                {"type": "placeholder", "name": "history"},
                {"role": "user", "content": "{{text}}"},
            ])
        );
        let variables = read.says.variables.unwrap();
        let seen: Vec<_> = variables.iter().map(|v| (v.name.as_str(), v.kind, v.required)).collect();
        assert_eq!(
            seen,
            [
                ("tags", VariableType::Json, true),
                ("text", VariableType::String, true),
                ("words", VariableType::Number, false),
                ("history", VariableType::Json, false),
            ]
        );
        assert_eq!(variables[1].description.as_deref(), Some("what to sum up"));
        assert_eq!(variables[2].default.as_ref().unwrap().as_str(), "50");
        assert_eq!(
            (read.says.params["top_p"].as_f64(), read.says.config["topK"].as_u64()),
            (Some(0.9), Some(3))
        );
    }

    #[test]
    fn a_text_without_roles_is_a_template() {
        let read = read("---\nname: a\nvariant: formal\n---\nHello {{name}}{{! quietly }}\n", "x").unwrap();
        assert_eq!(read.name.as_str(), "a.formal");
        assert_eq!(read.says.template_text.as_deref(), Some("Hello {{name}}"));
    }

    #[test]
    fn what_would_render_otherwise_is_refused_by_line() {
        for (body, said) in [
            ("a\n{{#each items}}x{{/each}}", "line 4: `{{#each items}}`"),
            ("{{media url=photo}}", "line 3: `{{media url=photo}}`"),
            ("a {{b", "line 3: `{{` is not closed"),
        ] {
            let error = read(&format!("---\n---\n{body}"), "x").unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
    }
}
