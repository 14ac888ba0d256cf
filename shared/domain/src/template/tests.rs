//! Rendering as a caller sees it. The helpers here make content and render it.

mod bounds;
mod formats;
mod jinja;
mod messages;
mod values;

use proptest::prelude::*;
use serde_json::Map;

use super::{Compiled, Rendered, Values};
use crate::{
    Error, ErrorKind, Result,
    content::{Body, Content, TemplateFormat, Variable},
};

/// Content with this body and nothing declared.
fn content(format: TemplateFormat, body: Body) -> Content {
    Content {
        body,
        template_format: format,
        variables: Vec::new(),
        model_id: "gpt-4o-mini".to_owned(),
        temperature: 0.7,
        max_tokens: 1000,
        params: Map::new(),
        config: Map::new(),
    }
}

fn text(format: TemplateFormat, template: &str) -> Content {
    let body =
        Body::Text { template_text: template.to_owned(), system_prompt: None, few_shot_examples: Vec::new() };
    content(format, body)
}

fn jinja(template: &str) -> Content {
    text(TemplateFormat::Jinja, template)
}

/// Declared variables from their JSON.
fn declared(json: &str) -> Vec<Variable> {
    serde_json::from_str(json).unwrap()
}

fn render_all(content: &Content, values: &str) -> Result<Rendered> {
    Compiled::new(content)?.render(&Values::parse(values)?)
}

/// The text of a template whose variables are declared so.
fn render_with(template: &str, variables: &str, values: &str) -> Result<String> {
    let content = jinja(template).with_variables(Some(declared(variables)))?;
    render_all(&content, values).map(|rendered| rendered.text.unwrap())
}

/// The text of a template over one `json` variable, `v`.
fn render(template: &str, v: &str) -> Result<String> {
    render_with(template, r#"[{"name": "v", "type": "json"}]"#, &format!(r#"{{"v": {v}}}"#))
}

/// Checks what a template over `v` renders to.
fn check(template: &str, v: &str, expected: &str) {
    assert_eq!(render(template, v).unwrap(), expected, "{template} with {v}");
}

/// Checks that something is refused, with these words in its detail, at this pointer.
fn check_error<T: std::fmt::Debug>(result: Result<T>, kind: ErrorKind, words: &str, pointer: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.detail().contains(words), "{error}");
    assert_eq!(error.problems()[0].pointer, pointer);
}

proptest! {
    /// Plain text comes out byte for byte, whatever it holds.
    #[test]
    fn plain_is_rendered_as_it_is(template in any::<String>()) {
        let content = text(TemplateFormat::Plain, &template).with_variables(None).unwrap();
        prop_assert_eq!(content.variables.len(), 0);
        prop_assert_eq!(render_all(&content, "{}").unwrap().text, Some(template));
    }

    /// What a value holds is never looked at again, in either format.
    #[test]
    fn values_are_literal(value in any::<String>(), braces in r"\{\{ ?(a|b) ?\}\}|\{% if a %\}|\{# a #\}") {
        let value = format!("{value}{braces}{value}");
        let values = serde_json::json!({ "a": value, "b": "{{ a }}" }).to_string();
        for format in [TemplateFormat::Jinja, TemplateFormat::Mustache] {
            let content = text(format, "<{{ a }}|{{b}}>").with_variables(None).unwrap();
            let rendered = render_all(&content, &values).unwrap().text.unwrap();
            prop_assert_eq!(rendered, format!("<{value}|{{{{ a }}}}>"));
        }
    }

    /// No template makes compiling or rendering panic or hang.
    #[test]
    fn any_template_ends(template in r"([a-z.|~+*()\[\]{}%# 0-9'-]|\{\{|\}\}|\{%|%\}|if |for |in |set |v|range\(){0,60}") {
        let _: Result<String, Error> = render(&template, r#"[{"a": 1.50}, "x", null]"#);
    }
}
