//! `{{ name }}` in a text of promptfoo: replaced once, when the file is read, so that what is stored is
//! literal.

use std::collections::HashMap;

use super::{
    MAX_CASE_BYTES,
    node::{Data, Node},
};

/// The case's variables, by name.
pub(super) type Variables<'a> = HashMap<&'a str, &'a Node>;

/// What to do about braces that are meant as they are.
const HINT: &str = "only `{{ name }}` is replaced, and literal braces are for JSON Lines";

/// How much of the author's text goes into a message, in characters.
const SNIPPET_CHARS: usize = 40;

/// Whether promptfoo would render this text.
pub(super) fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|opening| text.contains(opening))
}

/// The text with each `{{ name }}` replaced by the value of that variable. `room` is how many bytes the case
/// may still have.
pub(super) fn fill(text: &str, variables: &Variables, room: &mut usize) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        let from = &rest[at..];
        match from.as_bytes().get(1) {
            Some(b'{') => {
                let (name, after) =
                    from[2..].split_once("}}").ok_or_else(|| format!("`{{{{` is not closed; {HINT}"))?;
                let value = value(name.trim(), variables)?;
                if filled.len() + value.len() > *room {
                    return Err(format!("the case has more than {MAX_CASE_BYTES} bytes"));
                }
                filled.push_str(value);
                rest = after;
            }
            Some(opening @ (b'%' | b'#')) => {
                return Err(format!("`{{{}` begins a template block; {HINT}", char::from(*opening)));
            }
            _ => {
                filled.push('{');
                rest = &from[1..];
            }
        }
    }
    filled.push_str(rest);
    *room = room.saturating_sub(filled.len());
    Ok(filled)
}

fn value<'a>(name: &str, variables: &Variables<'a>) -> Result<&'a str, String> {
    let shown: String = name.chars().take(SNIPPET_CHARS).collect();
    let mut letters = name.chars();
    let plain = letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_');
    if !plain {
        return Err(format!("`{{{{ {shown} }}}}` is more than the name of a variable; {HINT}"));
    }
    match variables.get(name).map(|node| &node.data) {
        Some(Data::Text(text)) => Ok(text),
        Some(Data::Scalar(json)) if json != "null" => Ok(json),
        Some(_) => Err(format!("the variable `{shown}` is neither a text nor a number nor a boolean")),
        None => Err(format!("`{{{{ {shown} }}}}` names no variable of this case; {HINT}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_set::node::Place;

    fn filled(text: &str) -> Result<String, String> {
        let place = Place::line(1);
        let nodes = [
            ("name", Data::Text("{{ city }}".to_owned())),
            ("city", Data::Text("Bern".to_owned())),
            ("n", Data::Scalar("1.50".to_owned())),
            ("none", Data::Scalar("null".to_owned())),
            ("list", Data::List(Vec::new())),
            ("long", Data::Text("x".repeat(MAX_CASE_BYTES / 2))),
        ]
        .map(|(name, data)| (name, Node::new(&place, data)));
        let variables = nodes.iter().map(|(name, node)| (*name, node)).collect();
        fill(text, &variables, &mut MAX_CASE_BYTES.clone())
    }

    #[test]
    fn names_are_replaced_once() {
        for (text, expected) in [
            ("in {{city}}, {{ n }} and {{\tcity }}", "in Bern, 1.50 and Bern"),
            ("{{name}}", "{{ city }}"),
            (r#"{"a":{"b":1}}"#, r#"{"a":{"b":1}}"#),
            ("}} { {", "}} { {"),
            ("", ""),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn all_else_in_braces_is_refused() {
        for (text, why) in [
            ("{{ city | upper }}", "`{{ city | upper }}` is more than the name"),
            ("{{-city-}}", "more than the name"),
            ("{{{city}}}", "more than the name"),
            ("{{}}", "more than the name"),
            ("{{ city", "not closed"),
            ("{% if a %}", "template block"),
            ("{# note #}", "template block"),
            ("{{ town }}", "`{{ town }}` names no variable"),
            ("{{ none }}", "neither a text"),
            ("{{ list }}", "neither a text"),
            ("{{long}}{{long}}!", "more than"),
        ] {
            let refused = filled(text).map(|filled| filled.len());
            // The last one fits by itself: it is the rest of the case that bounds it.
            if text.starts_with("{{long") {
                assert_eq!(refused, Ok(MAX_CASE_BYTES + 1), "{text}");
                assert!(filled("{{long}}{{long}}{{city}}").unwrap_err().contains(why));
            } else {
                assert!(refused.as_ref().unwrap_err().contains(why), "{text}: {refused:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_no_template_stays(text in "[a{}%# ]{0,20}") {
            let filled = filled(&text);
            prop_assert_eq!(is_template(&text), filled.is_err());
            if let Ok(filled) = filled {
                prop_assert_eq!(filled, text);
            }
        }
    }
}
