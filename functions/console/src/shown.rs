//! How values look in a page. Text is escaped, and what cannot be seen in it is made visible: marks that turn the
//! direction of text, characters without width, controls. Only a form's field holds its text as it is.

use std::collections::BTreeSet;

use domain::Timestamp;
use minijinja::{Environment, Error, ErrorKind, Output, State, Value, value::Kwargs};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use web::{is_invisible, visible};

/// Puts the formatter, the filters and the one function of templates in place.
pub(crate) fn install(pages: &mut Environment<'static>) {
    pages.set_formatter(format);
    pages.add_function("include_part", part);
    pages.add_filter("field", field);
    pages.add_filter("spans", spans);
    pages.add_filter("svg", Value::from_safe_string);
    pages.add_filter("url", |text: String| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string());
    pages.add_filter("words", |text: String| text.replace('_', " "));
    pages.add_filter("when", when);
    pages.add_filter("percent", |share: f64| format!("{:.1}\u{a0}%", share * 100.0));
    pages.add_filter("whole", |number: f64| grouped(number, 0));
    pages.add_filter("fixed", |number: f64, digits: usize| grouped(number, digits));
    pages.add_filter("plain", |number: f64| number.to_string());
    pages.add_filter("usd", usd);
    pages.add_filter("ms", ms);
    pages.add_filter("json", json);
}

fn format(out: &mut Output, _: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if value.is_none() {
        return Ok(());
    }
    let text = value.to_string();
    out.write_str(&if value.is_safe() { text } else { visible(&text) }).map_err(Error::from)
}

/// Fills in another template, with what it is given and the viewer.
fn part(state: &mut State, name: &str, given: Kwargs) -> Result<Value, Error> {
    let mut context = Vec::new();
    for name in given.args() {
        context.push((name.to_owned(), given.peek::<Value>(name)?));
    }
    context.push(("viewer".to_owned(), state.lookup("viewer").unwrap_or_default()));
    let template = state.env().get_template(name)?;
    let text = template.render(Value::from_pairs(context))?;
    Ok(Value::from_safe_string(text))
}

/// Which characters of a text cannot be seen, each once.
pub(crate) fn invisible_in(text: &str) -> Vec<String> {
    let found: BTreeSet<_> = text.chars().filter(|letter| is_invisible(*letter)).collect();
    found.into_iter().map(|letter| format!("U+{:04X}", u32::from(letter))).collect()
}

/// The text of a field, as it was typed.
fn field(value: &Value) -> Value {
    let text = if value.is_none() || value.is_undefined() { String::new() } else { value.to_string() };
    Value::from_safe_string(web::escaped(&text))
}

/// A sentence of ours, in which `…` stands for code as in Markdown.
fn spans(text: &str) -> Value {
    let shown = visible(text);
    let pieces: Vec<_> = shown.split('`').collect();
    let piece = |(at, piece): (usize, &&str)| match at % 2 {
        1 => format!("<code>{piece}</code>"),
        _ => (*piece).to_owned(),
    };
    let paired = pieces.len() % 2 == 1;
    Value::from_safe_string(if paired {
        pieces.iter().enumerate().map(piece).collect()
    } else {
        shown.clone()
    })
}

/// JSON, for people.
fn json(value: Value) -> Result<String, Error> {
    let wrong = |error: serde_json::Error| Error::new(ErrorKind::BadSerialization, error.to_string());
    serde_json::to_string_pretty(&value).map_err(wrong)
}

/// A moment as people say it, with the exact one beside it.
fn when(state: &mut State, text: &str) -> Result<Value, Error> {
    let wrong = |error: String| Error::new(ErrorKind::InvalidOperation, error);
    let moment: Timestamp = text.parse().map_err(wrong)?;
    let viewer = state.lookup("viewer").unwrap_or_default();
    let now = viewer.get_attr("now").ok().and_then(|now| now.as_str()?.parse::<Timestamp>().ok());
    let exact = format!("{} {} UTC", &text[..10], &text[11..19]);
    let said = now.map_or_else(|| exact.clone(), |now| ago(now, moment, &exact));
    Ok(Value::from_safe_string(format!("<time datetime=\"{text}\" title=\"{exact}\">{said}</time>")))
}

fn ago(now: Timestamp, moment: Timestamp, exact: &str) -> String {
    let (age, later) = match now.since(moment) {
        Some(age) => (age, false),
        None => (moment.since(now).unwrap_or_default(), true),
    };
    let minutes = age.as_secs() / 60;
    let said = match minutes {
        0 => return "just now".to_owned(),
        1..=59 => format!("{minutes} min"),
        60..=2879 => format!("{} h", minutes / 60),
        2880..=20159 => format!("{} days", minutes / 1440),
        _ => return exact[..16].to_owned(),
    };
    if later { format!("in {said}") } else { format!("{said} ago") }
}

/// With a thin gap between thousands.
fn grouped(number: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", number.abs());
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let mut out = if number < 0.0 { "−".to_owned() } else { String::new() };
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if !rest.is_empty() {
        out.push('.');
        out.push_str(rest);
    }
    out
}

fn usd(amount: f64) -> String {
    let digits = match amount.abs() {
        0.0 => 0,
        small if small < 0.01 => 5,
        middle if middle < 100.0 => 2,
        _ => 0,
    };
    format!("${}", grouped(amount, digits))
}

fn ms(millis: f64) -> String {
    if millis >= 10_000.0 {
        format!("{} s", grouped(millis / 1000.0, 1))
    } else {
        format!("{} ms", grouped(millis, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(template: &str, text: &str) -> String {
        let mut pages = Environment::new();
        install(&mut pages);
        pages.render_str(template, minijinja::context! { text => text, viewer => () }).unwrap()
    }

    #[test]
    fn text_is_escaped_and_what_is_hidden_shows() {
        assert_eq!(shown("{{ text }}", "<b a='x'>\"&"), "&lt;b a=&#39;x&#39;&gt;&quot;&amp;");
        assert_eq!(shown("{{ text }}", "a\u{202e}b\u{200b}c"), "a⟦U+202E⟧b⟦U+200B⟧c");
        assert_eq!(shown("{{ text|field }}", "a\u{202e}<"), "a\u{202e}&lt;");
        assert_eq!(shown("{{ text|spans }}", "`<a>` of `b`"), "<code>&lt;a&gt;</code> of <code>b</code>");
        assert_eq!(shown("{{ text|spans }}", "a ` b"), "a ` b");
        assert_eq!(invisible_in("a\u{feff}b\u{feff}"), ["U+FEFF"]);
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(grouped(-1_234_567.0, 0), "−1\u{202f}234\u{202f}567");
        assert_eq!((usd(0.0), usd(0.00123), usd(3.456)), ("$0".into(), "$0.00123".into(), "$3.46".into()));
        assert_eq!((ms(12.4), ms(12_340.0)), ("12 ms".into(), "12.3 s".into()));
    }
}
