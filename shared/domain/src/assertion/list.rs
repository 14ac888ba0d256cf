//! Values of assertions: texts, lists of texts, and lists written as one text.

use crate::content::Literal;

/// The text of a string, or of a number or boolean as it was written; `None` for lists and objects.
pub(super) fn scalar(value: &Literal) -> Option<String> {
    let written = value.as_str();
    match written.as_bytes().first() {
        Some(b'{' | b'[') => None,
        Some(b'"') => serde_json::from_str(written).ok(),
        _ => Some(written.to_owned()),
    }
}

/// A text that is not blank.
pub(super) fn text(kind: &str, value: &Literal) -> Result<String, String> {
    scalar(value)
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| format!("`value` of {kind} is a text that is not blank, or a number"))
}

/// A text or a list of at most `most` texts, none of them blank.
pub(super) fn texts(kind: &str, value: &Literal, most: usize) -> Result<Vec<String>, String> {
    match elements(value) {
        None => text(kind, value).map(|text| vec![text]),
        Some(texts) => {
            let texts = texts.into_iter().map(|text| text.filter(|text| !text.trim().is_empty())).collect();
            checked(kind, texts, most)
        }
    }
}

/// A list of at most `most` texts, or a text that holds them separated by commas. A text with a comma or with
/// space around it is written in double quotes, and a quote in it twice or behind a backslash.
pub(super) fn separated(kind: &str, value: &Literal, most: usize) -> Result<Vec<String>, String> {
    match elements(value) {
        Some(texts) => checked(kind, texts, most),
        None => checked(kind, split(&text(kind, value)?)?.into_iter().map(Some).collect(), most),
    }
}

/// The elements of a list; `None` inside for one that is not a text or a number.
fn elements(value: &Literal) -> Option<Vec<Option<String>>> {
    let elements: Vec<Literal> = serde_json::from_str(value.as_str()).ok()?;
    Some(elements.iter().map(|element| scalar(element).filter(|_| element.as_str() != "null")).collect())
}

fn checked(kind: &str, texts: Vec<Option<String>>, most: usize) -> Result<Vec<String>, String> {
    if !(1..=most).contains(&texts.len()) {
        return Err(format!("`value` of {kind} is a list of 1 to {most} texts"));
    }
    let texts: Option<Vec<String>> = texts.into_iter().collect();
    texts
        .filter(|texts| texts.iter().all(|text| !text.is_empty()))
        .ok_or_else(|| format!("`value` of {kind} lists texts with something in them, or numbers"))
}

/// The texts of a list that is written as one text.
pub(crate) fn split(list: &str) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    let mut rest = list;
    loop {
        // Commas that follow each other hold nothing between them.
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        let (text, after) = match rest.strip_prefix('"') {
            _ if rest.is_empty() => return Ok(texts),
            Some(quoted) => unquote(quoted)?,
            None => {
                let (text, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                (text.trim_end().to_owned(), after)
            }
        };
        texts.push(text);
        rest = after.trim_start();
        if !rest.is_empty() && !rest.starts_with(',') {
            return Err("after a quoted text in `value` a comma follows".to_owned());
        }
    }
}

/// Reads up to the closing quote; the rest is what stands behind it.
fn unquote(quoted: &str) -> Result<(String, &str), String> {
    let mut text = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|&(_, next)| next);
        let escapes = (c == '"' && next == Some('"')) || (c == '\\' && matches!(next, Some('"' | '\\')));
        if escapes {
            text.extend(chars.next().map(|(_, escaped)| escaped));
        } else if c == '"' {
            return Ok((text, &quoted[at + 1..]));
        } else {
            text.push(c);
        }
    }
    Err("a quoted text in `value` has no end; write \"\" for a quote in it".to_owned())
}
