//! Mustache and plain.

use super::{TemplateFormat, check_error, declared, render_all, text};
use crate::ErrorKind;

fn mustache(template: &str, values: &str) -> String {
    let content = text(TemplateFormat::Mustache, template).with_variables(None).unwrap();
    render_all(&content, values).unwrap().text.unwrap()
}

#[test]
fn mustache_replaces_plain_names_only() {
    let values = r#"{"name": "Ada", "user.first-name": "A", "größe": "4"}"#;
    for (template, expected) in [
        ("Hi {{name}}, {{ name }}!", "Hi Ada, Ada!"),
        ("{{user.first-name}} {{größe}}", "A 4"),
        ("{{{name}}}", "{Ada}"),
        (r#"{"a": {{name}}}"#, r#"{"a": Ada}"#),
        (
            "{{#name}}x{{/name}} {{> name}} {{! name}} {{^name}}",
            "{{#name}}x{{/name}} {{> name}} {{! name}} {{^name}}",
        ),
        ("{{ name | upper }} {% if name %} {# name #}", "{{ name | upper }} {% if name %} {# name #}"),
        ("{{}} {{ }} {{1}} {{ na me }} {{name", "{{}} {{ }} {{1}} {{ na me }} {{name"),
        ("line\n{{name}}\n\n", "line\nAda\n\n"),
    ] {
        let content = text(TemplateFormat::Mustache, template).with_variables(None).unwrap();
        let rendered = render_all(&content, values).map(|rendered| rendered.text);
        assert_eq!(rendered.unwrap().as_deref(), Some(expected));
    }
}

#[test]
fn mustache_prints_json_compactly_and_numbers_as_written() {
    let variables = r#"[{"name": "n", "type": "number"}, {"name": "j", "type": "json"}]"#;
    let content =
        text(TemplateFormat::Mustache, "{{n}} {{j}}").with_variables(Some(declared(variables))).unwrap();
    let rendered = render_all(&content, r#"{"n": 1.50, "j": { "b" : [1e3, "é"],  "a": null }}"#).unwrap();
    assert_eq!(rendered.text.unwrap(), r#"1.50 {"b":[1e3,"é"],"a":null}"#);
}

#[test]
fn mustache_variables_come_in_the_order_of_their_first_use() {
    let content = text(TemplateFormat::Mustache, "{{b}} {{a}} {{b}}").with_variables(None).unwrap();
    let names: Vec<_> = content.variables.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["b", "a"]);
    assert_eq!(mustache("{{b}} {{a}} {{b}}", r#"{"a": "1", "b": "2"}"#), "2 1 2");
}

#[test]
fn an_undeclared_name_is_refused_with_its_place() {
    let content = text(TemplateFormat::Mustache, "Hello\n  {{ name }}");
    let result = content.with_variables(Some(declared("[]")));
    check_error(result, ErrorKind::Invalid, "line 2, column 3: `name` is not declared", "/template_text");
}

#[test]
fn many_braces_are_read_in_linear_time() {
    let braces = "{{".repeat(50_000);
    assert_eq!(mustache(&braces, "{}"), braces);
}

#[test]
fn plain_may_declare_variables_it_never_uses() {
    let content =
        text(TemplateFormat::Plain, "{{ x }}").with_variables(Some(declared(r#"[{"name": "x"}]"#))).unwrap();
    assert_eq!(render_all(&content, r#"{"x": "1"}"#).unwrap().text.unwrap(), "{{ x }}");
    check_error(render_all(&content, "{}"), ErrorKind::Invalid, "missing: x", "/variables/x");
}
