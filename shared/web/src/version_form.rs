//! A version as the console's editor sends it: the same fields as in JSON, and the same rules.

use std::collections::BTreeMap;

use domain::{
    Error, Result,
    content::{Variable, VariableType},
    template::Values,
    version::NewVersion,
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{Fields, NewVersionBody, read_json};

/// A form as the body that it stands for.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    template_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    few_shot_examples: Option<Vec<Example<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Message<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template_format: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<Box<RawValue>>,
    model_id: Option<&'a str>,
    temperature: Option<f64>,
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Box<RawValue>>,
    note: Option<&'a str>,
    based_on: Option<&'a str>,
}

#[derive(Serialize)]
struct Example<'a> {
    input: &'a str,
    output: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Message<'a> {
    Text {
        role: &'a str,
        content: &'a str,
    },
    Placeholder {
        #[serde(rename = "type")]
        tag: &'a str,
        name: &'a str,
    },
}

/// The version that the editor's fields come to.
pub fn version_of(fields: &Fields) -> Result<NewVersion> {
    let of_messages = fields.text("kind") == "messages";
    let text = |name| (!of_messages).then(|| fields.text(name));
    let body = Body {
        template_text: text("template_text"),
        system_prompt: text("system_prompt").filter(|prompt| !prompt.is_empty()),
        few_shot_examples: (!of_messages).then(|| examples(fields)),
        messages: of_messages.then(|| messages(fields)),
        template_format: fields.given("template_format"),
        variables: json(fields, "variables")?,
        model_id: fields.given("model_id"),
        temperature: fields.optional("temperature")?,
        max_tokens: fields.optional("max_tokens")?,
        params: json(fields, "params")?,
        config: json(fields, "config")?,
        note: fields.given("note"),
        based_on: fields.given("based_on"),
    };
    let body = serde_json::to_vec(&body).map_err(Error::internal)?;
    read_json::<NewVersionBody>(&body)?.new_version()
}

/// Rows that are empty are rows that nobody filled in.
fn examples(fields: &Fields) -> Vec<Example<'_>> {
    let rows = fields.all("example_input").zip(fields.all("example_output"));
    let rows = rows.filter(|(input, output)| !input.is_empty() || !output.is_empty());
    rows.map(|(input, output)| Example { input, output }).collect()
}

fn messages(fields: &Fields) -> Vec<Message<'_>> {
    let rows = fields.all("message_role").zip(fields.all("message_content"));
    let rows = rows.filter(|(_, content)| !content.is_empty());
    let message = |(role, content): (_, _)| match role {
        "placeholder" => Message::Placeholder { tag: "placeholder", name: content },
        role => Message::Text { role, content },
    };
    rows.map(message).collect()
}

fn json(fields: &Fields, name: &str) -> Result<Option<Box<RawValue>>> {
    let read = |text: &str| {
        let wrong = |error| Error::invalid(format!("/{name}"), format!("This is no JSON: {error}."));
        serde_json::from_str(text).map_err(wrong)
    };
    fields.given(name).map(read).transpose()
}

/// The sample values of the editor, each under `value:<name>`: texts as they are, numbers and JSON as JSON. Of these
/// an empty field is none.
pub fn values_of(fields: &Fields, variables: &[Variable]) -> Result<Values> {
    Values::parse(&serde_json::to_string(&samples_of(fields, variables)?).map_err(Error::internal)?)
}

/// The same as JSON, by name.
pub fn samples_of<'a>(
    fields: &Fields,
    variables: &'a [Variable],
) -> Result<BTreeMap<&'a str, Box<RawValue>>> {
    let mut json: BTreeMap<&str, Box<RawValue>> = BTreeMap::new();
    for variable in variables {
        let text = fields.text(&format!("value:{}", variable.name));
        let value = match variable.kind {
            VariableType::String if text.is_empty() && !variable.required => continue,
            VariableType::String => to_raw_value(text).map_err(Error::internal)?,
            _ if text.trim().is_empty() => continue,
            // As it was written: a number keeps its digits.
            _ => serde_json::from_str(text).map_err(|error| {
                let pointer = format!("/value:{}", variable.name);
                Error::invalid(pointer, format!("`{}` is no JSON: {error}.", variable.name))
            })?,
        };
        json.insert(&variable.name, value);
    }
    Ok(json)
}

#[cfg(test)]
mod tests {
    use domain::content::Body;

    use super::*;

    #[test]
    fn a_form_comes_to_the_version_that_it_shows() {
        let form = "kind=text&template_text=Hi+%7B%7B+name+%7D%7D&system_prompt=&model_id=m&temperature=0.2\
                    &example_input=a&example_output=b&example_input=&example_output=&variables=";
        let version = version_of(&Fields::read(form.as_bytes())).unwrap();
        let Body::Text { template_text, system_prompt, few_shot_examples } = version.body else { panic!() };
        assert_eq!(
            (template_text.as_str(), system_prompt, few_shot_examples.len()),
            ("Hi {{ name }}", None, 1)
        );
        let form = "kind=messages&message_role=user&message_content=Hi&message_role=placeholder&message_content=past";
        let Body::Messages(messages) = version_of(&Fields::read(form.as_bytes())).unwrap().body else {
            panic!()
        };
        assert_eq!(messages.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_said_of_its_field() {
        for (form, place) in [
            ("template_text=x&temperature=warm", "/temperature"),
            ("template_text=x&params=%7B", "/params"),
            ("template_text=x&variables=%5B%7B%22nam%22%3A1%7D%5D", "/variables/0/nam"),
            ("kind=messages&message_role=nobody&message_content=x", "/messages/0"),
        ] {
            let refused = version_of(&Fields::read(form.as_bytes())).unwrap_err();
            assert_eq!(refused.problems()[0].pointer, place);
        }
    }
}
