//! The part of the language of event filters that the template uses.

use serde_json::Value;

/// Whether an event passes a pattern: each member has to, and a list holds what a member may be.
///
/// A pattern in words that this does not know is an error: it would not be known what it lets through.
pub(crate) fn passes(pattern: &Value, event: &Value) -> Result<bool, String> {
    match pattern {
        Value::Object(members) => {
            for (name, pattern) in members {
                if !passes(pattern, &event[name])? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Value::Array(choices) => {
            for choice in choices {
                if is(choice, event)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        other => Err(format!("a pattern has lists where it ends, not {other}")),
    }
}

fn is(choice: &Value, event: &Value) -> Result<bool, String> {
    match choice {
        Value::String(_) => Ok(choice == event),
        Value::Object(test) if test.len() == 1 && test.contains_key("prefix") => {
            let prefix = choice["prefix"].as_str().ok_or("a prefix is a text")?;
            Ok(event.as_str().is_some_and(|text| text.starts_with(prefix)))
        }
        other => Err(format!("only texts and prefixes are known here, not {other}")),
    }
}

#[test]
fn patterns_are_understood() {
    let event = serde_json::json!({ "name": "MODIFY", "keys": { "pk": "A#1", "sk": "B#1" } });
    let check = |pattern: &str| passes(&serde_json::from_str(pattern).unwrap(), &event);
    for passing in [
        "{}",
        r#"{"name": ["INSERT", "MODIFY"]}"#,
        r#"{"keys": {"pk": [{"prefix": "A#"}], "sk": [{"prefix": "C#"}, {"prefix": "B#"}]}}"#,
    ] {
        assert_eq!(check(passing), Ok(true), "{passing}");
    }
    for failing in [
        r#"{"name": ["REMOVE"]}"#,
        r#"{"keys": {"pk": [{"prefix": "A#"}], "sk": [{"prefix": "C#"}]}}"#,
        r#"{"other": ["MODIFY"]}"#,
    ] {
        assert_eq!(check(failing), Ok(false), "{failing}");
    }
    for unknown in [r#"{"name": "MODIFY"}"#, r#"{"name": [{"suffix": "Y"}]}"#] {
        assert!(check(unknown).is_err(), "{unknown}");
    }
}
