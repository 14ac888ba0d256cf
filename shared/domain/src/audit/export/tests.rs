//! Exports that are sound, and those that are not.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{AuditId, Timestamp, audit::Fact, key::Caller};

fn export(entries: u64) -> Vec<String> {
    let mut head = ChainHead::default();
    let mut lines = Vec::new();
    for number in 0..entries {
        let mut fact = Fact::new(&Caller::system("test").actor, Action::Promoted, format!("ver_{number}"));
        fact.after = json!({"revision": number, "rate": 0.1 + 0.2, "text": "ключ"});
        let now = Timestamp::from_millis(1_795_158_000_000);
        let (entry, next) = head.append("prm_x".into(), fact, now, AuditId::new(now, [9; 10])).unwrap();
        lines.push(serde_json::to_string(&Line::Entry(Box::new(entry))).unwrap());
        head = next;
    }
    lines.insert(0, serde_json::to_string(&Line::Head(Head::new("prm_x".into(), &head))).unwrap());
    lines
}

#[test]
fn a_whole_export_verifies_and_a_cut_or_reordered_one_does_not() {
    let lines = export(5);
    assert_eq!(verify(&lines.join("\n")), Ok(Verified { chains: 1, entries: 5, versions: 0 }));
    assert!(verify(&lines[..5].join("\n")).is_err(), "a cut tail");
    assert!(verify(&lines[1..].join("\n")).is_err(), "a cut head");
    assert!(verify("").is_err());
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    assert!(verify(&swapped.join("\n")).is_err());
    let doubled = [&lines[..], &lines[5..]].concat();
    assert!(verify(&doubled.join("\n")).is_err());
}

/// Every leaf below a value, as pointers.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, member)| leaves(member, &format!("{path}/{name}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

/// The same chain with versions, each with its content.
fn export_with_contents(versions: u64) -> Vec<String> {
    let (mut head, mut lines) = (ChainHead::default(), Vec::new());
    for number in 0..versions {
        let content = json!({ "template_text": format!("text {number}"), "temperature": 0.1 });
        let version_id = format!("ver_{number}");
        let mut fact = Fact::new(&Caller::system("test").actor, Action::VersionCreated, &version_id);
        fact.after = json!({ "content_sha256": hash_of(content.clone()).unwrap() });
        let now = Timestamp::from_millis(1_795_158_000_000);
        let (entry, next) = head.append("prm_x".into(), fact, now, AuditId::new(now, [9; 10])).unwrap();
        let content = Content { chain: "prm_x".to_owned(), version_id, content };
        lines.extend([Line::Entry(Box::new(entry)), Line::Version(content)]);
        head = next;
    }
    lines.insert(0, Line::Head(Head { versions: true, ..Head::new("prm_x".into(), &head) }));
    lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect()
}

#[test]
fn contents_that_are_altered_missing_or_of_another_version_are_found() {
    let lines = export_with_contents(3);
    assert_eq!(verify(&lines.join("\n")), Ok(Verified { chains: 1, entries: 3, versions: 3 }));
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().join("\n");
    let altered = lines.join("\n").replace("text 1", "text one");
    let mut swapped = lines.clone();
    swapped.swap(2, 4);
    let undemanding = lines.join("\n").replacen(r#","versions":true"#, "", 1);
    for (what, export, line) in [
        ("altered", altered, 5),
        ("missing", without(2), 3),
        ("the last missing", without(6), 7),
        ("swapped", swapped.join("\n"), 3),
        ("unasked", undemanding, 3),
    ] {
        assert_eq!(verify(&export).map_err(|unsound| unsound.line), Err(line), "{what}");
    }
}

#[test]
fn answers_one_after_another_are_an_export_and_the_first_alone_is_none() {
    let lines = export(5);
    let more = r#"{"type":"more","cursor":"5.abc"}"#;
    let [first, rest_of_it] = [lines[..3].join("\n"), lines[3..].join("\n")];
    assert_eq!(rest(&format!("{first}\n{more}\n")).as_deref(), Some("5.abc"));
    assert_eq!((rest(&first), rest("")), (None, None));
    let whole = format!("{first}\n{more}\n{rest_of_it}\n");
    assert_eq!(verify(&whole), Ok(Verified { chains: 1, entries: 5, versions: 0 }));
    let cut = verify(&format!("{first}\n{more}")).unwrap_err();
    assert_eq!(cut.to_string(), "line 5: it goes on, and the rest is missing");
    assert!(verify(&format!("{rest_of_it}\n{first}")).is_err(), "in another order");
}

proptest! {
    #[test]
    fn any_changed_field_of_any_line_is_found(at in 0_usize..5, pick: prop::sample::Index) {
        let mut lines = export(4);
        let mut line: Value = serde_json::from_str(&lines[at]).unwrap();
        let mut pointers = Vec::new();
        leaves(&line, "", &mut pointers);
        let field = line.pointer_mut(pick.get::<String>(&pointers)).unwrap();
        *field = match &*field {
            Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
            Value::String(text) => json!(format!("{text}x")),
            _ => json!("was not here"),
        };
        lines[at] = line.to_string();
        prop_assert!(verify(&lines.join("\n")).is_err());
    }
}
