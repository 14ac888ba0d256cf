//! promptfoo's YAML.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{problems, stored};
use crate::test_set::{Format::Promptfoo, MAX_CASES};

#[test]
fn a_list_of_tests_becomes_cases() {
    let file = r#"
- description: A place
  vars: {city: Bern, n: 1.50, ok: true, id: "007", deep: {a: [1, null]}}
  assert:
    - {type: contains, value: "{{ city }} {{n}}", weight: 2.0, metric: "in {{city}}"}
    - type: is-json
      value: '{"required": ["a"]}'
    - type: contains-any
      value: ["{{city}}", b]
    - type: assert-set
      threshold: 0.5
      weight: 0
      assert:
        - {type: not-equals, value: x}
        - {type: icontains, value: "{{city}}"}
  threshold: 0.75
  metadata: {by: me, tags: [critical], n: 7}
- vars: {}
  case_id: own
  tags: [a, b]
  expected: "{{literal}}"
"#;
    assert_eq!(
        stored(Promptfoo, file),
        [
            concat!(
                r#"{"vars":{"city":"Bern","n":1.50,"ok":true,"id":"007","deep":{"a":[1,null]}},"assert":["#,
                r#"{"type":"contains","value":"Bern 1.50","weight":2.0,"metric":"in Bern"},"#,
                r#"{"type":"is-json","value":{"required":["a"]}},"#,
                r#"{"type":"contains-any","value":["Bern","b"]},"#,
                r#"{"type":"assert-set","threshold":0.5,"weight":0,"assert":["#,
                r#"{"type":"not-equals","value":"x"},{"type":"icontains","value":"Bern"}]}],"#,
                r#""threshold":0.75,"tags":["critical"],"#,
                r#""metadata":{"by":"me","description":"A place","n":7}}"#
            ),
            r#"{"case_id":"own","vars":{},"expected":"{{literal}}","tags":["a","b"]}"#,
        ]
    );
}

#[test]
fn each_test_takes_over_the_default() {
    let file = "
description: A config
prompts: [file://prompt.txt]
providers: [openai:gpt-5]
x-shared: &polite {type: icontains, value: please}
defaultTest:
  description: Not taken over
  vars: {lang: de, tone: kind}
  assert: [*polite]
  threshold: 0.5
  metadata: {by: me, at: home}
tests:
  - vars: {q: a, tone: rude}
    assert: [{type: contains, value: '{{tone}} {{lang}}'}]
    metadata: {by: you}
  - vars: {q: b}
    threshold: 1
  - vars:
    options: {disableDefaultAsserts: true, runSerially: true}
    expected: c
";
    let polite = r#"{"type":"icontains","value":"please"}"#;
    assert_eq!(
        stored(Promptfoo, file),
        [
            format!(
                "{{\"vars\":{{\"lang\":\"de\",\"tone\":\"rude\",\"q\":\"a\"}},\"assert\":[{polite},{}],\
                 \"threshold\":0.5,\"metadata\":{{\"at\":\"home\",\"by\":\"you\"}}}}",
                r#"{"type":"contains","value":"rude de"}"#
            ),
            format!(
                "{{\"vars\":{{\"lang\":\"de\",\"tone\":\"kind\",\"q\":\"b\"}},\"assert\":[{polite}],\
                 \"threshold\":1.0,\"metadata\":{{\"at\":\"home\",\"by\":\"me\"}}}}"
            ),
            r#"{"vars":{"lang":"de","tone":"kind"},"expected":"c","threshold":0.5,"metadata":{"at":"home","by":"me"}}"#
                .to_owned(),
        ]
    );
}

#[test]
fn lists_of_texts_make_a_case_for_each_combination() {
    let file = "
- vars: {a: [x, y], n: [1, 2], b: [p, q]}
  case_id: c
  assert: [{type: equals, value: '{{a}}{{b}}'}]
- vars: {a: [x, y]}
  options: {disableVarExpansion: true}
  expected: z
";
    let case = |id: usize, a: &str, b: &str| {
        format!(
            "{{\"case_id\":\"c-{id}\",\"vars\":{{\"a\":\"{a}\",\"n\":[1,2],\"b\":\"{b}\"}},\
             \"assert\":[{{\"type\":\"equals\",\"value\":\"{a}{b}\"}}]}}"
        )
    };
    assert_eq!(
        stored(Promptfoo, file),
        [
            case(1, "x", "p"),
            case(2, "x", "q"),
            case(3, "y", "p"),
            case(4, "y", "q"),
            r#"{"vars":{"a":["x","y"]},"expected":"z"}"#.to_owned(),
        ]
    );
}

#[test]
fn all_that_is_wrong_is_reported_by_its_line() {
    let file = "
- vars: {a: x}
  assert:
    - {type: javascript, value: output}
    - {type: contains, value: ok}
    - type: assert-set
      assert:
        - {type: equals, value: x}
        - {type: word-count, value: 3}
- assert: [{type: contains, value: '{{b}}'}]
- vars: file://vars.yaml
- vars: {a: file://a.txt}
- {vars: {a: ['x', 'file://a.txt']}, expected: y}
- provider: openai:gpt-5
- options:
    transform: output.trim()
- assert:
    - type: contains
      transform: output.trim()
- vars:
    a: '{{ b }}'
- assertScoringFunction: file://score.js
- file://more.yaml
- $ref: '#/tests/1'
- threshold: half
- {vars: {a: x}, expected: y, tags: critical}
- {vars: {a: x}}
- {path: file://make.py, config: {}}
- assert: [{type: is-json, value: {$ref: '#/x'}}]
- {threshold: 2, expected: x}
- assert: {type: equals}
- {threshold: 1e999, expected: x}
";
    let found = problems(Promptfoo, file);
    let expected = [
        (4, "`javascript` runs code"),
        (9, "there is no assertion type `word-count`"),
        (10, "`{{ b }}` names no variable"),
        (11, "`vars` is a mapping"),
        (12, "`file://` reads a file"),
        (13, "`file://` reads a file"),
        (14, "`provider` of a test is not supported"),
        (16, "the option `transform` is not supported"),
        (19, "`transform` of an assertion is not supported"),
        (21, "promptfoo would render"),
        (22, "`assertScoringFunction` of a test is not supported"),
        (23, "this names a file"),
        (24, "`$ref` is not supported"),
        (25, "`threshold` is a number"),
        (26, "`tags` is a list"),
        (27, "neither `expected` nor `assert`"),
        (28, "`path` of a test is not supported"),
        (29, "`$ref` is not supported"),
        (30, "`threshold` is a number"),
        (31, "`assert` is a list"),
        (32, "`threshold` is a number"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((line, detail), (expected, why)) in found.iter().zip(expected) {
        assert_eq!(*line, expected, "{detail}");
        assert!(detail.starts_with(why) || detail.contains(why), "{detail}: {why}");
    }
}

#[test]
fn what_several_cases_have_in_common_is_reported_once() {
    let file = "
defaultTest: {assert: [{type: python, value: x}, {type: ruby, value: x}]}
tests: [{}, {}, {assert: [{type: fn}]}]
";
    let found = problems(Promptfoo, file);
    assert_eq!(found.len(), 3, "{found:?}");
    for ((line, detail), (expected, why)) in
        found.iter().zip([(2, "`python` runs"), (2, "`ruby` runs"), (3, "no assertion type `fn`")])
    {
        assert!(*line == expected && detail.contains(why), "{line}: {detail}");
    }
}

/// A prepared expression takes up to a megabyte, so those that are too many are not even tried.
#[test]
fn too_many_assertions_are_refused_unread() {
    let asserts = "{type: regex, value: '('},".repeat(101);
    let found = problems(Promptfoo, &format!("- assert: [{asserts}]"));
    assert!(found.len() == 1 && found[0].1.contains("at most 100 assertions"), "{found:?}");
}

#[test]
fn a_config_says_nothing_that_is_not_done() {
    let file = "
scenarios: []
tests: file://tests.yaml
extensions: [file://hook.js:go]
commandLineOptions: {maxConcurrency: 2, var: {a: b}}
defaultTests: {}
";
    let found = problems(Promptfoo, file);
    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6], "{found:?}");
    assert!(found[0].1.contains("`scenarios`") && found[3].1.contains("`var`"), "{found:?}");
    for (file, line, why) in [
        ("description: x\n", 1, "no `tests`"),
        ("just text", 1, "a list of tests, or a config"),
        ("tests: [{expected: x}]\ndefaultTest: file://d.yaml", 2, "`defaultTest` names a file"),
        ("tests: [{}, {}]\ndefaultTest:\n  assert: [{type: python, value: x}]", 3, "`python` runs code"),
        ("tests: [", 1, "not YAML"),
    ] {
        let found = problems(Promptfoo, file);
        assert!(found.len() == 1 && found[0].0 == line && found[0].1.contains(why), "{file}: {found:?}");
    }
    for empty in ["", "[]", "tests: []"] {
        assert!(super::error(Promptfoo, empty.as_bytes()).detail().contains("empty"), "{empty}");
    }
}

#[test]
fn small_files_that_mean_large_sets_are_refused() {
    let letters = |count: usize| vec!["x"; count].join(",");
    let many = |a: usize, b: usize| {
        format!("- {{expected: x, vars: {{a: [{}], b: [{}]}}}}\n", letters(a), letters(b))
    };
    assert_eq!(stored(Promptfoo, &many(100, 100)).len(), MAX_CASES);
    assert!(problems(Promptfoo, &many(100, 101))[0].1.contains("make 10100 cases"));
    let twice = many(100, 99) + &many(101, 1);
    assert!(super::error(Promptfoo, twice.as_bytes()).detail().contains("10000 cases"));

    let default = format!("defaultTest: {{vars: {{long: {}}}}}\n", "x".repeat(100_000));
    let tests = format!("{default}tests:\n{}", "- {expected: x}\n".repeat(1000));
    assert!(super::error(Promptfoo, tests.as_bytes()).detail().contains("67108864 bytes"));
    let tags: Vec<String> = (0..30_000).map(|tag| format!("t{tag}")).collect();
    let tagged = format!("- {{expected: x, tags: [{}]}}", tags.join(","));
    assert!(problems(Promptfoo, &tagged)[0].1.contains("at most 20 tags"));
    let long = |bytes: usize| "x".repeat(bytes);
    let two = format!("- {{expected: {}, vars: {{a: {}}}}}", long(150_000), long(150_000));
    assert!(problems(Promptfoo, &two)[0].1.contains("more than 204800 bytes"));
    // What is refused takes time too.
    let default = format!("x-b: &b {}\ndefaultTest: {{vars: {{a: {}}}}}\n", long(60_000), long(150_000));
    let tests = format!("{default}tests:\n{}", "- {expected: x, vars: {b: *b}}\n".repeat(400));
    assert!(super::error(Promptfoo, tests.as_bytes()).detail().contains("67108864 bytes"));
    let braces = "{{a}}".repeat(10_000);
    let file =
        format!("- {{vars: {{a: {}}}, assert: [{{type: equals, value: '{braces}'}}]}}", "x".repeat(1000));
    assert!(problems(Promptfoo, &file)[0].1.contains("204800 bytes"));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        // YAML has no control characters, not even in quotes.
        r"[ -~\n\té-ÿ一-龥😀]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z~ ]{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// JSON is YAML, so a case written as JSON must mean the same here.
    #[test]
    fn values_stay_what_they_were(values in prop::collection::vec(value(), 1..4)) {
        let named = values.into_iter().enumerate();
        let vars: Map<String, Value> =
            named.map(|(index, value)| (format!("v{index}"), json!([0, value]))).collect();
        let stored = stored(Promptfoo, &json!([{ "vars": vars, "expected": "x" }]).to_string());
        let case: Value = serde_json::from_str(&stored[0]).unwrap();
        prop_assert_eq!(&case["vars"], &Value::Object(vars));
    }
}
