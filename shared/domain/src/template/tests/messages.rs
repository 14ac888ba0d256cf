//! The conversation that a render gives.

use super::{Body, ErrorKind, Result, TemplateFormat, check_error, content, declared, render_all};
use crate::content::{Content, MessageTemplate, VariableType};

fn messages(json: &str) -> Content {
    let messages: Vec<MessageTemplate> = serde_json::from_str(json).unwrap();
    content(TemplateFormat::Jinja, Body::Messages(messages))
}

fn roles_and_contents(content: &Content, values: &str) -> Result<Vec<(&'static str, String)>> {
    let messages = render_all(content, values)?.messages.into_iter();
    Ok(messages.map(|message| (message.role.as_str(), message.content)).collect())
}

const CHAT: &str = r#"[{"role": "system", "content": "Be {{ tone }}."}, {"type": "placeholder", "name": "history"},
                       {"role": "user", "content": "{{ question }}"}]"#;

#[test]
fn a_text_prompt_is_system_then_examples_then_text() {
    let body = Body::Text {
        template_text: "Q: {{ q }}".to_owned(),
        system_prompt: Some("Be {{ tone }}.".to_owned()),
        few_shot_examples: serde_json::from_str(r#"[{"input": "{{ q }}", "output": "{% o %}"}]"#).unwrap(),
    };
    let content = content(TemplateFormat::Jinja, body).with_variables(None).unwrap();
    let names: Vec<_> = content.variables.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["tone", "q"]);
    let rendered = render_all(&content, r#"{"tone": "curt", "q": "why?"}"#).unwrap();
    assert_eq!(rendered.system_prompt.as_deref(), Some("Be curt."));
    assert_eq!(rendered.text.as_deref(), Some("Q: why?"));
    let said: Vec<_> =
        rendered.messages.iter().map(|message| (message.role.as_str(), message.content.as_str())).collect();
    let expected =
        [("system", "Be curt."), ("user", "{{ q }}"), ("assistant", "{% o %}"), ("user", "Q: why?")];
    assert_eq!(said, expected);
}

#[test]
fn placeholders_take_the_callers_messages() {
    let content = messages(CHAT).with_variables(None).unwrap();
    let kinds: Vec<_> = content.variables.iter().map(|variable| variable.kind).collect();
    assert_eq!(kinds, [VariableType::String, VariableType::Json, VariableType::String]);
    let values =
        r#"{"tone": "curt", "question": "?", "history": [{"role": "tool", "content": "{{ tone }}"}]}"#;
    let said = roles_and_contents(&content, values).unwrap();
    let expected = [("system", "Be curt."), ("tool", "{{ tone }}"), ("user", "?")];
    assert_eq!(said, expected.map(|(role, content)| (role, content.to_owned())));
    assert_eq!(render_all(&content, values).unwrap().text, None);
}

#[test]
fn a_placeholder_refuses_what_is_no_list_of_messages() {
    let content = messages(CHAT).with_variables(None).unwrap();
    for history in ["{}", "1", r#"["x"]"#, r#"[{"role": "user"}]"#, r#"[{"role": "nobody", "content": ""}]"#]
    {
        let values = format!(r#"{{"tone": "", "question": "", "history": {history}}}"#);
        check_error(
            render_all(&content, &values),
            ErrorKind::Invalid,
            "list of messages",
            "/variables/history",
        );
    }
}

#[test]
fn an_absent_placeholder_holds_no_messages() {
    let variables =
        r#"[{"name": "tone"}, {"name": "question"}, {"name": "history", "type": "json", "required": false}]"#;
    let content = messages(CHAT).with_variables(Some(declared(variables))).unwrap();
    assert_eq!(roles_and_contents(&content, r#"{"tone": "a", "question": "b"}"#).unwrap().len(), 2);
}

#[test]
fn every_message_that_does_not_parse_is_reported_at_its_place() {
    let broken = r#"[{"role": "user", "content": "{{"}, {"role": "user", "content": "a"}, {"role": "user", "content": "\n{% x %}"}]"#;
    let error = messages(broken).with_variables(None).unwrap_err();
    let pointers: Vec<_> = error.problems().iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(pointers, ["/messages/0/content", "/messages/2/content"]);
    let undeclared =
        messages(CHAT).with_variables(Some(declared(r#"[{"name": "tone"}, {"name": "question"}]"#)));
    check_error(undeclared, ErrorKind::Invalid, "`history` is not declared", "/messages/1/name");
}
