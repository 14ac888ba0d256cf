//! The Jinja that prompts are written in.

use super::{check, check_error, declared, jinja, render, render_with};
use crate::{ErrorKind, content::VariableType};

#[test]
fn statements() {
    check("{% if v > 2 %}many{% elif v == 2 %}two{% else %}few{% endif %}", "2", "two");
    check(
        "{% for x in v %}{{ loop.index }}/{{ loop.length }}:{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
        "[7, 8]",
        "1/2:7, 2/2:8",
    );
    check(
        "{% for x in v if x != 2 %}{{ loop.index0 }}{{ x }}{{ loop.revindex }};{% else %}none{% endfor %}",
        "[1,2,3]",
        "012;131;",
    );
    check("{% for x in v %}{{ x }}{% else %}none{% endfor %}", "[]", "none");
    check("{% for k, x in v.items() %}{{ k }}={{ x }} {% endfor %}", r#"{"b": 1, "a": [2]}"#, "b=1 a=[2] ");
    check("{% for k in v %}{{ k }}{% endfor %}", r#"{"b": 1, "a": 2}"#, "ba");
    check("{% set n = v ~ '!' %}{{ n }}{% set a, b = [1, 2] %}{{ b }}{{ a }}", r#""x""#, "x!21");
    check("{% set t %}[{{ v }}]{% endset %}{{ t }}{{ t }}", "1", "[1][1]");
    check("{% with a = v, b = a + 1 %}{{ b }}{% endwith %}", "1", "2");
    check("{% if not v %}{% set v = 'polite' %}{% endif %}{{ v }}", r#""""#, "polite");
    check("{% if not v %}{% set v = 'polite' %}{% endif %}{{ v }}", r#""curt""#, "curt");
    check("{% for x in v %}{% set v = x %}{{ v }}{% endfor %}{{ v }}", "[1]", "1[1]");
    check("{# no {{ v }} #}{% raw %}{{ v }}{% endraw %}", "1", "{{ v }}");
    check("a\n  {%- if v -%}\n  b\n  {%- endif +%}\n c\n", "true", "ab\n c\n");
}

#[test]
fn expressions() {
    check(
        "{{ v.items[0].price }} {{ v['items'][-1]['price'] }}",
        r#"{"items": [{"price": 1.50}, {"price": 2e3}]}"#,
        "1.50 2e3",
    );
    check("{{ v[:3] }}|{{ v[-2:] }}|{{ v[1] }}|{{ v[9:] }}", r#""grüße""#, "grü|ße|r|");
    check("{{ v[1:] }}", "[1, 2, 3]", "[2,3]");
    check("{{ 'yes' if v else 'no' }}{{ 'x' if v == 1 }}", "0", "no");
    check("{{ v and 'a' }} {{ v or 'b' }} {{ not v }}", r#""""#, " b true");
    check("{{ 1 < 2 and 'a' in v and 'z' not in v and v is mapping }}", r#"{"a": 1}"#, "true");
    check(
        "{{ v.a == 1.5 }} {{ v.a > 1 }} {{ v == {'a': 1.5} }} {{ v.a == '1.50' }}",
        r#"{"a": 1.50}"#,
        "true true true false",
    );
    check(
        "{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 2 ** 10 }} {{ v * 2 }} {{ -v }}",
        "1.50",
        "3 -4 2 3.5 3.0 1024 3.0 -1.5",
    );
    check("{{ range(3) }} {{ range(5, 0, -2) | join(' ') }} {{ (1, 'a') }}", "0", r#"[0,1,2] 5 3 1 [1,"a"]"#);
    check("{{ true }} {{ none }} {{ v }}", r#"{"a": [true, null]}"#, r#"true null {"a":[true,null]}"#);
}

#[test]
fn filters() {
    for (template, value, expected) in [
        (
            "{{ v | upper }} {{ v.upper() }} {{ v | lower }} {{ v | title }} {{ v | capitalize }}",
            r#""ab cD""#,
            "AB CD AB CD ab cd Ab Cd Ab cd",
        ),
        ("[{{ v | trim }}] [{{ v.strip() }}] [{{ 'xxaxx' | trim('x') }}]", r#"" a ""#, "[a] [a] [a]"),
        ("{{ v | length }} {{ 'grün' | length }}", "[1, 2]", "2 4"),
        (
            "{{ v | join(', ') }} {{ [{'n': 1}, {'n': 2}] | join('-', attribute='n') }}",
            r#"["a", 1.0, null]"#,
            "a, 1.0, null 1-2",
        ),
        ("{{ v | replace('a', 'bb') }}", r#""banana""#, "bbbnbbnbb"),
        (
            "{{ v | tojson }}|{{ v | tojson(indent=2) }}",
            r#"{"a": ["<é>", 1.0], "b": []}"#,
            "{\"a\":[\"<é>\",1.0],\"b\":[]}|{\n  \"a\": [\n    \"<é>\",\n    1.0\n  ],\n  \"b\": []\n}",
        ),
        (
            "{{ v | first }}{{ v | last }}{{ v | reverse }}{{ 'ab' | first }}{{ 'ab' | reverse }}",
            "[1, 2]",
            "12[2,1]aba",
        ),
        (
            "{{ v | sort }} {{ v | sort(reverse=true) | first }} {{ v | min }} {{ v | max }}",
            r#"["b", "A", "c"]"#,
            r#"["A","b","c"] c A c"#,
        ),
        (
            "{{ v | sort(attribute='n') | map(attribute='n') | join }} {{ v | sum('n') }}",
            r#"[{"n": 2}, {"n": 1.50}]"#,
            "1.502 3.5",
        ),
        ("{{ v | unique | list }} {{ 'ab' | list }}", "[1, 2, 1, 1.0]", r#"[1,2] ["a","b"]"#),
        (
            "{{ v | round }} {{ v | round(1) }} {{ v | round(1, 'ceil') }} {{ v | int }} {{ '3.7' | int }} {{ '4' | float }} {{ -2 | abs }}",
            "2.45",
            "2.0 2.5 2.5 2 3 4.0 2",
        ),
        (
            "{{ v | indent(2) }}|{{ v | lines }}|{{ v | split }}|{{ 'a,b' | split(',') }}",
            r#""a\n\nb c""#,
            "a\n\n  b c|[\"a\",\"\",\"b c\"]|[\"a\",\"b\",\"c\"]|[\"a\",\"b\"]",
        ),
        (
            "{{ v | truncate(9) }} {{ v | truncate(9, true, leeway=0) }} {{ v | wordcount }}",
            r#""the quick brown fox""#,
            "the... the qu... 4",
        ),
        ("{{ v | dictsort }} {{ v | items | length }}", r#"{"b": 1, "a": 2}"#, r#"[["a",2],["b",1]] 2"#),
        ("{{ v | string | length }} {{ v | safe }}", "1.50", "4 1.50"),
        (
            "{{ v.x | default('none') }} {{ v.y | default('none') }} {{ v.y | default('none', true) }}{{ v.y | d }}",
            r#"{"y": ""}"#,
            "none  none",
        ),
    ] {
        check(template, value, expected);
    }
}

#[test]
fn tests() {
    check(
        "{{ v.a is defined }} {{ v.b is not defined }} {{ v.a is none }} {{ v.a is undefined }}",
        r#"{"a": null}"#,
        "true true true false",
    );
    check(
        "{{ v is number }} {{ v is integer }} {{ v is float }} {{ 4 is even }} {{ 4 is odd }} {{ 9 is divisibleby(3) }}",
        "1.50",
        "true false true true false true",
    );
    check(
        "{{ v is string }} {{ [] is iterable }} {{ [] is sequence }} {{ v is eq 'a' }} {{ v is in ['a'] }} {{ true is boolean }}",
        r#""a""#,
        "true true true true true true",
    );
}

#[test]
fn what_is_undefined_is_an_error_with_its_place() {
    check_error(
        render("Dear\n{{ v.name }}", "{}"),
        ErrorKind::NotRendered,
        "`name` is undefined",
        "/template_text",
    );
    check_error(
        render("Dear\n {{ v.name }}", "{}"),
        ErrorKind::NotRendered,
        "line 2, column 5",
        "/template_text",
    );
    for template in [
        "{% if v.x %}{% endif %}",
        "{{ v.x.y }}",
        "{{ v.x ~ 'a' }}",
        "{{ v.x | upper }}",
        "{{ v[7] }}",
        "{{ v.x == 1 }}",
        "{% for a in v.x %}{% endfor %}",
    ] {
        let error = render(template, r#"{"a": 1}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotRendered, "{template}");
    }
}

#[test]
fn mistakes_of_a_render_name_their_place() {
    for (template, words) in [
        ("{{ v + 1 }}", "arithmetic needs numbers, not text and a number"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ v < 1 }}", "text and a number have no order"),
        ("{% for x in v %}{% endfor %}", "text holds no items"),
        ("{% for a, b in [[1]] %}{% endfor %}", "2 names cannot take 1 items"),
        ("{{ 9 ** 9 ** 9 ** 9 }}", "too large"),
        ("{{ v | abs }}", "a number is needed"),
        ("{{ v | int }}", "this text is no number"),
    ] {
        let error = render(template, r#""x""#).unwrap_err();
        assert!(error.detail().contains(words) && error.detail().contains("line 1"), "{template}: {error}");
    }
}

#[test]
fn variables_are_derived_in_the_order_of_their_first_use() {
    let template = "{% set a = b %}{{ a }}{% for c in d[e:] %}{{ c.x }}{{ loop.index }}{% endfor %}{{ c }}\
                    {{ range(f) }}{{ g.h[i] | join(j) }}{% if k is in l %}{% set m = 1 %}{% endif %}{{ m }}";
    let content = jinja(template).with_variables(None).unwrap();
    let names: Vec<_> = content.variables.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["b", "d", "e", "c", "f", "g", "i", "j", "k", "l"]);
    assert!(
        content.variables.iter().all(|variable| variable.required && variable.kind == VariableType::String)
    );
}

#[test]
fn undeclared_variables_are_all_refused_with_their_places() {
    let error = jinja("{{ a }}\n{{ b }}{{ c }}{{ b }}")
        .with_variables(Some(declared(r#"[{"name": "a"}]"#)))
        .unwrap_err();
    let details: Vec<_> = error.problems().iter().map(|problem| problem.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "line 2, column 4: `b` is not declared in `variables`: declare it, or leave `variables` out.",
            "line 2, column 11: `c` is not declared in `variables`: declare it, or leave `variables` out.",
        ]
    );
}

#[test]
fn what_is_not_available_is_refused_with_its_place() {
    for (template, words) in [
        ("\n{% include 'x' %}", "line 2, column 4: `include` loads another template"),
        ("{%- extends 'x' %}", "`extends` loads another template"),
        ("{% import 'x' as y %}", "`import` loads another template"),
        ("{% from 'x' import y %}", "`from` loads another template"),
        ("{% block x %}{% endblock %}", "`block` loads another template"),
        ("{% macro x() %}{% endmacro %}", "line 1, column 4: unknown statement macro"),
        ("{{ a", "unexpected end of input"),
        ("ab {{ a b }}", "line 1, column 9"),
        ("{% if a %}", "unexpected end of input"),
        ("{% autoescape true %}{% endautoescape %}", "`autoescape` is not available"),
        ("{% filter upper %}{% endfilter %}", "`filter` blocks are not available"),
        ("{{ a | nope }}", "line 1, column 8: there is no filter `nope` here; there are abs"),
        ("{{ a | upper(1) }}", "takes no such argument"),
        ("{{ a | join(x=1) }}", "takes no such argument, only (d, attribute)"),
        ("{{ a | map('upper') }}", "takes no such argument, only (attribute)"),
        ("{{ a is nope }}", "there is no test `nope`"),
        ("{{ namespace() }}", "there is no function `namespace`"),
        ("{{ debug() }}", "there is no function `debug`"),
        ("{{ a.nope() }}", "there is no method `nope`"),
        ("{{ loop.index }}", "`loop` stands outside a loop"),
        ("{% for x in a if loop.first %}{% endfor %}", "`loop` stands outside a loop"),
        ("{% for x in a %}{{ loop.cycle }}{% endfor %}", "`loop.cycle` is not available"),
        ("{% for x in a recursive %}{% endfor %}", "recursive loops are not available"),
        ("{% set a.b = 1 %}", "only plain names can be assigned"),
        ("{{ a[::2] }}", "a slice takes no step"),
        ("{{ 1 < a < 3 }}", "write `a < b and b < c`"),
    ] {
        let error = jinja(template).with_variables(None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.detail().contains(words), "{template}: {error}");
        assert_eq!(error.problems()[0].pointer, "/template_text");
    }
}

#[test]
fn numbers_calculate_and_print_as_written() {
    let variables = r#"[{"name": "n", "type": "number"}]"#;
    let template = "{{ n }} {{ n + 1 }} {{ n > 1 }} {{ [n] }} {{ n | tojson }}";
    for (n, expected) in [
        ("1.50", "1.50 2.5 true [1.50] 1.50"),
        ("1e3", "1e3 1001.0 true [1e3] 1e3"),
        ("-0", "-0 1.0 false [-0] -0"),
        ("42", "42 43 true [42] 42"),
    ] {
        assert_eq!(render_with(template, variables, &format!(r#"{{"n": {n}}}"#)).unwrap(), expected);
    }
    let huge = "123456789012345678901234567890123456789012345678901234567890";
    assert_eq!(render_with("{{ n }}", variables, &format!(r#"{{"n": {huge}}}"#)).unwrap(), huge);
}
