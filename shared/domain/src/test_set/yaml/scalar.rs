//! What an unquoted word of YAML is, by the core schema of YAML 1.2: text, number, boolean or null.

use granit_parser::Tag;

/// The JSON of a number, boolean or null; `None` for a text.
pub(super) fn resolve(text: &str, quoted: bool, tag: Option<&Tag>) -> Result<Option<String>, String> {
    let Some(tag) = tag else {
        return if quoted { Ok(None) } else { plain(text) };
    };
    // A bare `!` says that it is a text.
    if tag.is_yaml_core_schema_tag("str") || tag.to_string() == "!" {
        return Ok(None);
    }
    let named = ["int", "float", "bool", "null"].into_iter().find(|name| tag.is_yaml_core_schema_tag(name));
    let name = named.ok_or_else(|| unknown(tag))?;
    plain(text)?.map(Some).ok_or_else(|| format!("this is not the {name} that its tag says"))
}

/// Says that a tag has no meaning here.
pub(super) fn unknown(tag: &Tag) -> String {
    format!("the tag `{tag}` has no meaning here; write the value itself")
}

fn plain(text: &str) -> Result<Option<String>, String> {
    let json = match text {
        "" | "~" | "null" | "Null" | "NULL" => "null".to_owned(),
        "true" | "True" | "TRUE" => "true".to_owned(),
        "false" | "False" | "FALSE" => "false".to_owned(),
        _ => match decimal(text) {
            Some(number) => number,
            None => return special(text),
        },
    };
    Ok(Some(json))
}

/// A decimal number as JSON spells it: as written, but without a plus sign, needless zeros in front and a
/// bare point. `None` if it is none.
pub(in crate::test_set) fn decimal(text: &str) -> Option<String> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { "-" } else { "" };
    let (mantissa, exponent) = unsigned.split_at(unsigned.find(['e', 'E']).unwrap_or(unsigned.len()));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let power = exponent.get(1..).map(|power| power.strip_prefix(['-', '+']).unwrap_or(power));
    if whole.len() + fraction.len() == 0
        || !digits(whole)
        || !digits(fraction)
        || power.is_some_and(|power| power.is_empty() || !digits(power))
    {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}{exponent}"))
}

/// The numbers that JSON spells otherwise, or cannot say.
fn special(text: &str) -> Result<Option<String>, String> {
    let radix = |digits: &str, radix| {
        let number = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
        number.then(|| u128::from_str_radix(digits, radix).ok()).flatten().map(|number| number.to_string())
    };
    match text.strip_prefix(['-', '+']).unwrap_or(text) {
        ".inf" | ".Inf" | ".INF" => Err("JSON has no infinity; quote it if it is a text".to_owned()),
        ".nan" | ".NaN" | ".NAN" if text.starts_with('.') => {
            Err("JSON has no `.nan`; quote it if it is a text".to_owned())
        }
        _ => Ok(match text.get(..2) {
            Some("0x") => radix(&text[2..], 16),
            Some("0o") => radix(&text[2..], 8),
            _ => None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_of_the_core_schema() {
        for (word, json) in [
            ("~", "null"),
            ("True", "true"),
            ("FALSE", "false"),
            ("17", "17"),
            ("-0", "-0"),
            ("+5", "5"),
            ("007", "7"),
            ("1.50", "1.50"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-.5e-3", "-0.5e-3"),
            ("1E+2", "1E+2"),
            ("0x1F", "31"),
            ("0o17", "15"),
        ] {
            assert_eq!(resolve(word, false, None), Ok(Some(json.to_owned())), "{word}");
            assert_eq!(resolve(word, true, None), Ok(None), "{word}");
        }
        for word in [
            "yes",
            "on",
            "1_000",
            "1e",
            "e5",
            ".",
            "-",
            "1.2.3",
            "2026-11-20",
            "0b1",
            "0x",
            "0x+1",
            "nUll",
            "é",
            "12:30",
            "-.nan",
        ] {
            assert_eq!(resolve(word, false, None), Ok(None), "{word}");
        }
        for word in [".inf", "-.INF", ".nan"] {
            assert!(resolve(word, false, None).is_err(), "{word}");
        }
    }

    proptest! {
        #[test]
        fn a_decimal_is_the_same_number_in_json(text in "[-+]?[0-9]{0,6}\\.?[0-9]{0,6}([eE][-+]?[0-9]{1,2})?") {
            let Some(json) = decimal(&text) else { return Ok(()) };
            let read: f64 = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(Ok(read), text.parse::<f64>());
        }
    }
}
