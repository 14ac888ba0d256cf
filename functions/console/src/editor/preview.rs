//! What a draft comes to: its variables, the rendered messages, and what callers would miss.

use domain::{
    Error, Result, Version,
    content::{ChatMessage, Content, Variable, VariableType},
    template::Compiled,
};
use serde::Serialize;
use web::{Fields, values_of, version_of};

/// A draft, rendered with sample values.
#[derive(Default, Serialize)]
pub(super) struct Preview {
    variables: Vec<Sample>,
    messages: Vec<ChatMessage>,
    /// Why it does not render.
    problems: Vec<String>,
    /// Variables that the version in production declares, and this draft does not.
    lost: Vec<String>,
    /// Variables that have another type there.
    retyped: Vec<String>,
    /// Variables that callers of the version in production do not send, and that have no default.
    asked_anew: Vec<String>,
    /// Variables that they may leave out, and that have no default any more.
    made_required: Vec<String>,
}

/// A variable with the value that it is tried with.
#[derive(Serialize)]
struct Sample {
    name: String,
    kind: VariableType,
    required: bool,
    value: String,
}

impl Preview {
    pub(super) fn of(fields: &Fields, live: Option<&Version>) -> Self {
        if is_blank(fields) {
            return Self::typed(fields);
        }
        let content = match content_of(fields) {
            Ok(content) => content,
            Err(error) => return Self { problems: said(&error), ..Self::typed(fields) },
        };
        let sample = |variable: &Variable| Sample {
            name: variable.name.clone(),
            kind: variable.kind,
            required: variable.required,
            value: fields.text(&format!("value:{}", variable.name)).to_owned(),
        };
        let mut preview = Self {
            variables: content.variables.iter().map(sample).collect(),
            ..Self::beside(&content, live)
        };
        match rendered(fields, &content) {
            Ok(messages) => preview.messages = messages,
            Err(error) => preview.problems = said(&error),
        }
        preview
    }

    /// The values that are there already: half a template has no variables, and nobody is to type them anew.
    fn typed(fields: &Fields) -> Self {
        let sample = |(name, value): (&str, &str)| {
            let (name, value) = (name.strip_prefix("value:")?.to_owned(), value.to_owned());
            Some(Sample { name, kind: VariableType::String, required: true, value })
        };
        Self { variables: fields.iter().filter_map(sample).collect(), ..Self::default() }
    }

    fn beside(content: &Content, live: Option<&Version>) -> Self {
        let Some(live) = live else { return Self::default() };
        let (known, drafted) = (&live.content.variables, &content.variables);
        let must_be_given = |variable: &Variable| variable.required && variable.default.is_none();
        let names = |among: &[Variable], is: &dyn Fn(&Variable) -> bool| {
            among.iter().filter(|variable| is(variable)).map(|variable| variable.name.clone()).collect()
        };
        Self {
            lost: names(known, &|old| named(drafted, old).is_none()),
            retyped: names(drafted, &|new| named(known, new).is_some_and(|old| old.kind != new.kind)),
            asked_anew: names(drafted, &|new| must_be_given(new) && named(known, new).is_none()),
            made_required: names(drafted, &|new| {
                must_be_given(new) && named(known, new).is_some_and(|old| !must_be_given(old))
            }),
            ..Self::default()
        }
    }
}

/// The one of the same name.
fn named<'a>(variables: &'a [Variable], like: &Variable) -> Option<&'a Variable> {
    variables.iter().find(|variable| variable.name == like.name)
}

/// Whether nothing is written yet; that is no mistake.
fn is_blank(fields: &Fields) -> bool {
    let written = ["template_text", "system_prompt", "message_content"];
    !written.iter().flat_map(|name| fields.all(name)).any(|text| !text.trim().is_empty())
}

/// What is typed, whatever model it is for.
fn content_of(fields: &Fields) -> Result<Content> {
    let draft = version_of(fields)?;
    let model = draft.model_id.clone().unwrap_or_else(|| "unbound".to_owned());
    draft.content(model)
}

fn rendered(fields: &Fields, content: &Content) -> Result<Vec<ChatMessage>> {
    let values = values_of(fields, &content.variables)?;
    Ok(Compiled::new(content)?.render(&values)?.messages)
}

fn said(error: &Error) -> Vec<String> {
    match error.problems() {
        [] => vec![error.detail().to_owned()],
        problems => problems.iter().map(|problem| problem.detail.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_rendered_with_its_sample_values() {
        let form = "kind=text&template_text=Hi+%7B%7B+name+%7D%7D&value%3Aname=Ann";
        let preview = Preview::of(&Fields::read(form.as_bytes()), None);
        assert_eq!((preview.variables.len(), preview.problems.len()), (1, 0));
        assert_eq!(preview.messages[0].content, "Hi Ann");
    }

    #[test]
    fn what_is_not_written_yet_is_no_mistake() {
        for form in ["kind=text&template_text=", "kind=messages&message_role=user&message_content="] {
            let preview = Preview::of(&Fields::read(form.as_bytes()), None);
            assert!(preview.problems.is_empty() && preview.messages.is_empty());
        }
    }

    #[test]
    fn what_does_not_parse_is_said_and_takes_no_value_away() {
        let form = b"kind=text&template_text=%7B%7B+name&value%3Aname=Ann";
        let preview = Preview::of(&Fields::read(form), None);
        assert!(preview.messages.is_empty() && preview.problems.len() == 1);
        assert_eq!(preview.variables[0].value, "Ann");
    }
}
