//! What a file says beside what a version says: equal, or how different.

use client::versions::{NewVersion, Version};
use domain::content::{Body, Content, Literal, Variable, VariableType};
use serde_json::value::to_raw_value;

/// The content that a file comes to for a model, checked as the API checks it.
pub fn content_of(says: &NewVersion, model_id: &str) -> domain::Result<Content> {
    let body = match (&says.template_text, &says.messages) {
        (Some(template), None) => Body::Text {
            template_text: template.clone(),
            system_prompt: says.system_prompt.clone(),
            few_shot_examples: says.few_shot_examples.clone().unwrap_or_default(),
        },
        (None, Some(messages)) if says.system_prompt.is_none() && says.few_shot_examples.is_none() => {
            Body::Messages(messages.clone())
        }
        _ => {
            let detail = "A version has a template (with a system prompt and examples), or else messages.";
            return Err(domain::Error::invalid("", detail));
        }
    };
    let new = domain::version::NewVersion {
        body,
        template_format: says.template_format,
        variables: says.variables.clone(),
        model_id: None,
        temperature: says.temperature.unwrap_or(0.7),
        max_tokens: says.max_tokens.unwrap_or(1000),
        params: says.params.clone(),
        config: says.config.clone(),
        note: None,
        based_on: None,
    };
    new.content(says.model_id.clone().unwrap_or_else(|| model_id.to_owned()))
}

/// What a version says, as a file would; variables are left out where the templates tell them.
pub fn said_by(version: &Version) -> NewVersion {
    let has_messages = version.messages.is_some();
    let mut says = NewVersion {
        template_text: version.template_text.clone(),
        system_prompt: version.system_prompt.clone(),
        few_shot_examples: (!has_messages).then(|| version.few_shot_examples.clone()),
        messages: version.messages.clone(),
        template_format: version.template_format,
        variables: None,
        model_id: Some(version.model_id.clone()),
        temperature: Some(version.temperature),
        max_tokens: Some(version.max_tokens),
        params: version.params.clone(),
        config: version.config.clone(),
        note: None,
        based_on: None,
    };
    let derived = content_of(&says, "").is_ok_and(|content| content.variables == version.variables);
    if !derived {
        says.variables = Some(version.variables.clone());
    }
    says.few_shot_examples = says.few_shot_examples.filter(|examples| !examples.is_empty());
    says
}

/// Whether two contents say the same. A default that is a text may be escaped in several ways.
pub fn same(a: &Content, b: &Content) -> bool {
    let plain = |content: &Content| Content {
        variables: content.variables.iter().map(with_plain_default).collect(),
        ..content.clone()
    };
    plain(a) == plain(b)
}

fn with_plain_default(variable: &Variable) -> Variable {
    let plain = |default: &Literal| {
        let text: String = serde_json::from_str(default.as_str()).ok()?;
        to_raw_value(&text).ok().map(Literal)
    };
    let default = variable.default.as_ref();
    let plain = default.filter(|_| variable.kind == VariableType::String).and_then(plain);
    Variable { default: plain.or_else(|| variable.default.clone()), ..variable.clone() }
}
