//! What cannot be checked is refused by name and place.

use super::*;

fn refused(assertion: &str) -> String {
    let line = format!(r#"{{"vars":{{}},"assert":[{assertion}]}}"#);
    Case::parse(line.as_bytes(), 1).unwrap_err().detail().to_owned()
}

fn refuses_all(refusals: &[(&str, &str)]) {
    for (assertion, why) in refusals {
        let detail = refused(assertion);
        assert!(detail.starts_with("assert 1: ") && detail.contains(why), "{assertion}: {detail}");
    }
}

#[test]
fn types_and_fields() {
    refuses_all(&[
        (r#"{"type":"javascript","value":"true"}"#, "runs code"),
        (r#"{"type":"not-python","value":"True"}"#, "runs code"),
        (r#"{"type":"g-eval","value":"a","config":{}}"#, "no assertion type `g-eval`"),
        (r#"{"type":"equal","value":"a"}"#, "no assertion type `equal`"),
        (r#"{"type":"not-not-equals","value":"a"}"#, "no assertion type `not-equals`"),
        (r#"{"value":"a"}"#, "missing field `type`"),
        (r#"{"type":"equals","value":"a","wieght":2}"#, "unknown field `wieght`"),
        (r#"{"type":"llm-rubric","value":"a","rubricPrompt":"b"}"#, "unknown field `rubricPrompt`"),
        (r#"{"type":"is-json","assert":[]}"#, "unknown field `assert`"),
        (r#"["is-json"]"#, "an assertion is an object"),
        (r#"{"type":"assert-set","assert":[["is-json"]]}"#, "an assertion is an object"),
        (r#"{"type":"equals","value":"a","weight":-1}"#, "`weight`"),
        (r#"{"type":"equals","value":"a","provider":"gpt"}"#, "equals asks no model"),
        (r#"{"type":"similar","value":"a","provider":" "}"#, "`provider` is a model's id"),
        (r#"{"type":"similar","value":"a","provider":{"id":"x"}}"#, "expected a string"),
    ]);
}

#[test]
fn thresholds() {
    refuses_all(&[
        (r#"{"type":"equals","value":"a","threshold":0}"#, "`threshold` of equals"),
        (r#"{"type":"equals","value":"a","threshold":1.1}"#, "`threshold` of equals"),
        (r#"{"type":"factuality","value":"a","threshold":2}"#, "`threshold` of factuality"),
        (r#"{"type":"levenshtein","value":"a","threshold":-1}"#, "the most edits"),
        (r#"{"type":"rouge-n","value":"a","threshold":1.01}"#, "`threshold` of rouge-n"),
        (r#"{"type":"bleu","value":"a","threshold":-0.1}"#, "`threshold` of bleu"),
        (r#"{"type":"similar","value":"a","threshold":2}"#, "`threshold` of similar"),
        (r#"{"type":"llm-rubric","value":"a","threshold":5}"#, "`threshold` of llm-rubric"),
        (r#"{"type":"latency"}"#, "latency needs a `threshold`: the most milliseconds"),
        (r#"{"type":"not-cost"}"#, "cost needs a `threshold`: the most US dollars"),
        (r#"{"type":"cost","threshold":1000001}"#, "`threshold` of cost"),
    ]);
}

#[test]
fn values() {
    refuses_all(&[
        (r#"{"type":"equals"}"#, "`value`"),
        (r#"{"type":"contains","value":""}"#, "`value`"),
        (r#"{"type":"contains","value":["a"]}"#, "`value`"),
        (r#"{"type":"regex","value":"("}"#, "unclosed group"),
        (r#"{"type":"regex","value":"(?=a)"}"#, "look-around"),
        (r#"{"type":"regex","value":"\\w{400}"}"#, "size limit"),
        (r#"{"type":"regex","value":5}"#, "`value`"),
        (r#"{"type":"contains-any"}"#, "contains-any needs a `value`"),
        (r#"{"type":"contains-any","value":[]}"#, "1 to 1000"),
        (r#"{"type":"contains-any","value":["a",""]}"#, "lists texts"),
        (r#"{"type":"contains-any","value":["a",["b"]]}"#, "lists texts"),
        (r#"{"type":"contains-any","value":["a",null]}"#, "lists texts"),
        (r#"{"type":"contains-all","value":{"a":1}}"#, "`value` of contains-all"),
        (r#"{"type":"contains-all","value":" , ,"}"#, "1 to 1000"),
        (r#"{"type":"icontains-all","value":"\"a"}"#, "no end"),
        (r#"{"type":"icontains-any","value":"\"a\" b"}"#, "a comma follows"),
        (r#"{"type":"rouge-n","value":["a"]}"#, "`value` of rouge-n"),
        (r#"{"type":"bleu","value":["a"," "]}"#, "`value` of bleu"),
        (r#"{"type":"similar","value":" "}"#, "`value` of similar"),
        (r#"{"type":"factuality","value":{}}"#, "`value` of factuality"),
        (r#"{"type":"llm-rubric"}"#, "llm-rubric needs a `value`"),
        (r#"{"type":"is-refusal","value":"no"}"#, "is-refusal takes no `value`"),
        (r#"{"type":"latency","value":100}"#, "latency takes no `value`"),
    ]);
    let references = serde_json::to_string(&vec!["a"; 21]).unwrap();
    assert!(refused(&format!(r#"{{"type":"similar","value":{references}}}"#)).contains("1 to 20"));
    let long = "a".repeat(measure::MAX_DISTANCE_CHARS + 1);
    assert!(refused(&format!(r#"{{"type":"levenshtein","value":"{long}"}}"#)).contains("10000 characters"));
}

#[test]
fn schemas() {
    for kind in ["is-json", "contains-json"] {
        for (schema, why) in [
            (r#"{"type":"strin"}"#, "/type"),
            (r#""{}""#, "not a text that holds one"),
            (r#"{"$ref":"https://example.com/s.json"}"#, "https://example.com/s.json"),
            (r#"{"$ref":"file:///etc/hosts"}"#, "file:///etc/hosts"),
            (r#"{"$schema":"https://example.com/meta.json"}"#, "https://example.com/meta.json"),
            (r#"{"format":"colour"}"#, "colour"),
            (r#"{"pattern":"(?=a)"}"#, "/pattern"),
        ] {
            let detail = refused(&format!(r#"{{"type":"{kind}","value":{schema}}}"#));
            assert!(detail.starts_with("assert 1: ") && detail.contains(why), "{kind} {schema}: {detail}");
        }
    }
    let many = vec![r##"{"$ref":"#/$defs/a"}"##; 51].join(",");
    let schema = format!(r#"{{"type":"is-json","value":{{"$defs":{{"a":true}},"allOf":[{many}]}}}}"#);
    assert!(refused(&schema).contains("50 references"));
}

#[test]
fn sets() {
    refuses_all(&[
        (r#"{"type":"assert-set"}"#, "missing field `assert`"),
        (r#"{"type":"assert-set","assert":[]}"#, "at least one assertion"),
        (r#"{"type":"not-assert-set","assert":[{"type":"is-json"}]}"#, "no `not-assert-set`"),
        (r#"{"type":"assert-set","assert":[{"type":"is-json"}],"value":"a"}"#, "unknown field `value`"),
        (r#"{"type":"assert-set","assert":[{"type":"is-json"}],"provider":"a"}"#, "unknown field `provider`"),
        (r#"{"type":"assert-set","assert":[{"type":"is-json"}],"threshold":2}"#, "`threshold` of assert-set"),
        (r#"{"type":"assert-set","assert":[{"type":"is-json"}],"weight":-1}"#, "`weight`"),
        (
            r#"{"type":"assert-set","assert":[{"type":"is-json"},{"type":"python","value":"1"}]}"#,
            "assert-set: assert 2: `python` runs code",
        ),
        (
            r#"{"type":"assert-set","assert":[{"type":"assert-set","assert":[{"type":"is-json"}]}]}"#,
            "assert-set: assert 1: `assert-set` cannot stand in another one",
        ),
    ]);
}

#[test]
fn more_than_100_assertions() {
    let many = |count: usize| vec![r#"{"type":"is-json"}"#; count].join(",");
    assert!(refused(&many(101)).contains("at most 100 assertions"));
    let set = |count: usize| format!(r#"{{"type":"assert-set","assert":[{}]}}"#, many(count));
    assert!(refused(&format!("{},{}", set(60), set(41))).contains("at most 100 assertions"));
    assert_eq!(alone(&format!("{},{}", set(60), set(40))).assertions().len(), 2);
}

#[test]
fn more_than_32_regular_expressions_in_whatever_place() {
    let regexes = |count: usize| vec![r#"{"type":"not-regex","value":"a"}"#; count].join(",");
    let set = |members: &str| format!(r#"{{"type":"assert-set","assert":[{members}]}}"#);
    let schema = |patterns: usize| {
        let named = |at: usize| format!(r#""p{at}":{{"type":"string","pattern":"a{at}"}}"#);
        let properties = (1..patterns).map(named).collect::<Vec<_>>().join(",");
        format!(
            r#"{{"type":"is-json","value":{{"properties":{{{properties}}},"patternProperties":{{"^x":true}}}}}}"#
        )
    };
    assert_eq!(alone(&format!("{},{}", regexes(12), schema(20))).assertions().len(), 13);
    for many in [regexes(33), schema(33), format!("{},{},{}", regexes(3), set(&regexes(10)), schema(20))] {
        assert!(refused(&many).contains("at most 32 regular expressions"), "{many}");
    }
    let no_schema = format!(r#"{{"type":"equals","value":[{}]}}"#, vec![r#"{"pattern":"a"}"#; 40].join(","));
    assert_eq!(alone(&no_schema).assertions().len(), 1);
}
