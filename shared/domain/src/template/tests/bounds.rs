//! Hostile templates: each is refused when compiled or stops when rendered, soon and with little memory.

use super::{ErrorKind, Result, TemplateFormat, Values, content, jinja, render, text};
use crate::{content::Body, template::Compiled};

/// Checks that a template over `v`, a text of 200 KiB, is refused or does not render.
fn check_bounded(template: &str) {
    let v = format!(r#""{}""#, "a b\\n".repeat(40 << 10));
    let error = render(template, &v).map(|text| text.len()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotRendered), "{error}");
    assert!(!error.problems().is_empty() && error.detail().len() < 1000, "{error}");
}

#[test]
fn growing_text_is_bounded() {
    let doubling = format!("{}{{{{ x | length }}}}", "{% set x = x ~ x %}".repeat(40));
    for template in [
        &*format!("{{% set x = v %}}{doubling}"),
        &doubling.replace("x ~ x", "x + x").replacen("x + x", "v + v", 1),
        "{{ 'a' * 1000000000 }}",
        "{{ ['a'] * 1000000000 }}",
        "{% set x = v %}{% for i in range(30) %}{% for x in [x ~ x] %}{% for x in [x ~ x] %}{% for x in [x ~ x] %}{{ x }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
        &format!("{}a{}", "{% set x %}{{ x }}{{ x }}".repeat(40), "{% endset %}".repeat(40)),
        &format!("{{% set x = v %}}{}", "{% set x %}{{ x }}{{ x }}{% endset %}".repeat(40)),
        "{{ v | replace('a', v) }}",
        "{{ v | indent(1000000000) }}",
        "{{ v | lines | join(v) }}",
        "{{ v | list | join(v) }}",
        "{{ v | tojson(indent=1000000000) }}{{ [v] | tojson(indent=1000000000) }}",
        "{{ v | truncate(3, end=v * 9) }}",
        "{{ v | center(1000000000) }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ (1.5 | round(1000000000)) }}",
        "{{ v ~ v ~ v ~ v ~ v ~ v ~ v }}",
    ] {
        check_bounded(template);
    }
}

#[test]
fn growing_lists_are_bounded() {
    let nested = |times| format!("{{% set x = [v] %}}{}", "{% set x = [x, x] %}".repeat(times));
    for template in [
        &*format!("{}{{{{ x }}}}", nested(60)),
        &format!("{}{{{{ x == x }}}}", nested(60)),
        &format!("{}{{{{ x | tojson | length }}}}", nested(60)),
        &format!("{}{{{{ x | string }}}}", nested(60)),
        &nested(200),
        &format!("{{% set x = {{}} %}}{}", "{% set x = {'a': x} %}".repeat(200)),
        "{{ range(1000000000) }}",
        "{{ range(1, 9223372036854775807) | length }}",
        "{{ v | list | reverse | length }}",
        "{{ range(100000) | unique }}",
    ] {
        check_bounded(template);
    }
}

#[test]
fn long_work_is_bounded() {
    for template in [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% for a in range(9000) %}{% for b in range(9000) %}{{ '' }}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{% set x = v | upper %}{% endfor %}",
        "{% for a in range(100000) %}{% set x = v ~ a %}{% endfor %}",
        "{% for a in range(100000) %}{% if v ~ 'x' == v ~ 'y' %}{% endif %}{% endfor %}",
        "{% for a in range(100000) %}{% if 'zz' in v %}{% endif %}{% endfor %}",
        "{% for a in range(100000) %}{% set x = v[-1:] %}{% endfor %}",
        "{% for a in range(100000) %}{% set x = v | lines | sort %}{% endfor %}",
        "{% for a in range(100000) %}{% set x = v | trim(v) %}{% endfor %}",
        "{% for a in range(100000) %}{% if v == v | string %}{% endif %}{% endfor %}",
        "{% for a in range(100000) %}{% for b in v | split %}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{{ v | wordcount }}{{ v | length }}{{ v | truncate(9) }}{% endfor %}",
    ] {
        check_bounded(template);
    }
}

#[test]
fn many_names_are_read_soon() {
    let names = |count| (0..count).map(|index| format!("n{index}"));
    let mustache: Vec<_> = names(10_000).map(|name| format!("{{{{{name}}}}}")).collect();
    let mustache = mustache.join("\n");
    let content = text(TemplateFormat::Mustache, &mustache).with_variables(None).unwrap();
    assert_eq!(content.variables.len(), 10_000);
    let undeclared = content.with_variables(Some(Vec::new())).unwrap_err();
    assert_eq!(undeclared.problems().len(), 10_000);
    let sets: Vec<_> = names(4000).map(|name| format!("{{% set {name}=v %}}{{{{ v }}}}")).collect();
    let sets = sets.concat();
    assert_eq!(render(&sets, "1").unwrap().len(), 4000);
    check_bounded(&format!("{sets}{{% for a in range(200000) %}}{{% if v %}}{{% endif %}}{{% endfor %}}"));
}

#[test]
fn long_templates_of_short_tags_render() {
    let raw = render(&"{% raw %}{{{% endraw %}".repeat(1000), "0").unwrap();
    assert_eq!(raw, "{{".repeat(1000));
    let list = format!("{{{{ [{}] | length }}}}", "'a', 1, ".repeat(1000));
    assert_eq!(render(&list, "0").unwrap(), "2000");
}

/// On a stack as small as a thread of the server has: an overflow would end the process.
#[test]
fn deep_templates_are_refused() {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let work = || {
        for template in [
            format!("{{{{ {}v }}}}", "not ".repeat(20_000)),
            format!("{{{{ {}v }}}}", "-".repeat(90_000)),
            format!("{{{{ {}v{} }}}}", "(".repeat(40_000), ")".repeat(40_000)),
            format!("{{{{ {}{} }}}}", "[".repeat(40_000), "]".repeat(40_000)),
            format!("{{{{ v{} }}}}", " ~ v".repeat(20_000)),
            format!("{{{{ v{} }}}}", "|upper".repeat(10_000)),
            format!("{{{{ v{} }}}}", ".a".repeat(40_000)),
            format!("{{{{ v{} }}}}", "[0]".repeat(30_000)),
            format!("{{{{ 1{} }}}}", " if v else 1".repeat(8_000)),
            format!("{{% for {}a in v %}}{{% endfor %}}", "(".repeat(40_000)),
            format!("{{% if v %}}{}{{% endif %}}", "{% elif v %}".repeat(8_000)),
            format!("{}{}", "{% if v %}".repeat(4_000), "{% endif %}".repeat(4_000)),
            format!("{}{}", "{% for a in v %}".repeat(3_000), "{% endfor %}".repeat(3_000)),
        ] {
            let error = jinja(&template).with_variables(None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    };
    thread.spawn(work).unwrap().join().unwrap();
}

/// The deepest that is allowed still renders on a small stack.
#[test]
fn the_deepest_allowed_template_renders() {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let work = || {
        let chain = " ~ 'a'".repeat(190);
        let inner = format!("{{{{ v{chain} }}}}{{% if v %}}{}{{% endif %}}", "{% elif v %}".repeat(190));
        let nested = format!("{}{inner}{}", "{% if not v %}".repeat(140), "{% endif %}".repeat(140));
        let rendered = render(&nested, "0").unwrap();
        assert_eq!(rendered, format!("0{}", "a".repeat(190)));
        let brackets = format!("{{{{ {}v{} }}}}", "(".repeat(70), ")".repeat(70));
        assert_eq!(render(&brackets, "1").unwrap(), "1");
    };
    thread.spawn(work).unwrap().join().unwrap();
}

#[test]
fn the_texts_of_one_render_share_the_limit() {
    let v = format!(r#"{{"v": "{}"}}"#, "a".repeat(200 << 10));
    let message = r#"{"role": "user", "content": "{{ v }}{{ v }}"}"#;
    let render = |count: usize| -> Result<usize> {
        let messages = serde_json::from_str(&format!("[{}]", vec![message; count].join(","))).unwrap();
        let content = content(TemplateFormat::Jinja, Body::Messages(messages)).with_variables(None)?;
        Ok(Compiled::new(&content)?.render(&Values::parse(&v)?)?.messages.len())
    };
    assert_eq!(render(2).unwrap(), 2);
    assert_eq!(render(3).unwrap_err().kind(), ErrorKind::NotRendered);
    let mustache = text(TemplateFormat::Mustache, &"{{v}}".repeat(6)).with_variables(None).unwrap();
    let rendered = Compiled::new(&mustache).unwrap().render(&Values::parse(&v).unwrap());
    assert_eq!(rendered.unwrap_err().kind(), ErrorKind::NotRendered);
}
