//! What the platforms of a test program write into the log, and what must never be in it.
//!
//! Of the programs that a [`crate::Fleet`] runs it has the last 1,000 lines of each function, as far as they are read
//! when the fleet is dropped and no test took them before; it has none of those that a test starts beside them.

use std::{
    collections::BTreeSet,
    io,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    thread,
};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use runtime::log::{self, LevelFilter};
use serde_json::{Value, json};
use tracing::subscriber;

use crate::call::text;

/// The least of a secret, in bytes: what is shorter stands in a log for other reasons.
const LEAST: usize = 12;

/// The most of one, in characters: a log that tells a long text tells how it begins.
const MOST: usize = 64;

/// The members of bodies and queries whose texts are nobody's but their sender's.
const PRIVATE: [&str; 6] = ["api_key", "csrf", "secret", "session_id", "user_id", "variables"];

static LOG: Mutex<Log> = Mutex::new(Log { text: Vec::new(), secrets: BTreeSet::new(), watchers: 0 });

struct Log {
    text: Vec<u8>,
    secrets: BTreeSet<String>,
    watchers: usize,
}

fn kept() -> MutexGuard<'static, Log> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the log goes.
pub(crate) struct Kept;

impl io::Write for Kept {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        kept().text.extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps the log of this program as functions write it. With the last of these values, all that was written is held
/// against all that was to be kept out of it: many a secret is known to a test only after it was used.
pub(crate) struct Watched(());

impl Watched {
    pub(crate) fn begin() -> Self {
        static BEGUN: Once = Once::new();
        BEGUN.call_once(|| {
            let begun = subscriber::set_global_default(log::to(|| Kept, LevelFilter::INFO, None));
            begun.expect("nobody else keeps the log of a test");
        });
        kept().watchers += 1;
        Self(())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut log = kept();
        log.watchers -= 1;
        if log.watchers > 0 {
            return;
        }
        let written = String::from_utf8_lossy(&std::mem::take(&mut log.text)).into_owned();
        let secrets = std::mem::take(&mut log.secrets);
        drop(log);
        let leaks = leaks(&written, &secrets);
        assert!(thread::panicking() || leaks.is_empty(), "the log tells secrets:\n{}", leaks.join("\n"));
    }
}

/// What this program has logged since it last had no platform.
pub fn logged() -> String {
    String::from_utf8_lossy(&kept().text).into_owned()
}

/// Adds the lines of programs, which write logs of their own.
pub(crate) fn also_logged(lines: &[String]) {
    let mut log = kept();
    for line in lines {
        log.text.extend_from_slice(line.as_bytes());
        log.text.push(b'\n');
    }
}

/// Says that this text must be in no log, neither as it is nor as JSON writes it. Less than 12 bytes are not looked
/// for: they may stand there for other reasons.
pub fn keep_out(secret: &str) {
    if secret.len() >= LEAST {
        let secret: String = secret.chars().take(MOST).collect();
        let written = json!(secret).to_string();
        kept().secrets.extend([written[1..written.len() - 1].to_owned(), secret]);
    }
}

/// The lines that tell one of the secrets, each with what it tells.
pub fn leaks(written: &str, secrets: &BTreeSet<String>) -> Vec<String> {
    let secrets: Vec<_> = secrets.iter().collect();
    // The other kinds search faster, and take minutes to be made of so many texts.
    let kind = Some(AhoCorasickKind::NoncontiguousNFA);
    let search =
        AhoCorasick::builder().kind(kind).build(&secrets).expect("so many texts can be searched for");
    let told = |line: &str| search.find(line).map(|found| format!("{}: {line}", secrets[found.pattern()]));
    written.lines().filter_map(told).collect()
}

/// Keeps out what a header says of its sender.
pub(crate) fn keep_out_header(name: &str, value: &str) {
    match name {
        "authorization" | "x-api-key" => {
            keep_out_key(value.rsplit(' ').next().unwrap_or_default());
        }
        "cookie" | "set-cookie" => {
            let value = value.split(';').next().and_then(|cookie| cookie.split_once('='));
            keep_out(value.map(|(_, token)| token).unwrap_or_default());
        }
        _ => {}
    }
}

/// Keeps out a key, and its secret alone.
fn keep_out_key(key: &str) {
    keep_out(key);
    keep_out(key.splitn(3, '_').last().unwrap_or_default());
}

/// Keeps out what a body holds that is private: JSON, or a form.
pub(crate) fn keep_out_body(body: &[u8]) {
    match serde_json::from_slice(body) {
        Ok(body) => search(&body, false),
        Err(_) => keep_out_fields(body),
    }
}

/// Keeps out what a query or a form holds that is private, as it is read.
pub(crate) fn keep_out_fields(encoded: &[u8]) {
    for (name, value) in form_urlencoded::parse(encoded) {
        match name.as_ref() {
            "key" => keep_out_key(&value),
            // They are JSON here too.
            name @ "variables" => {
                let value = serde_json::from_str(&value).unwrap_or_else(|_| json!(value));
                member(name, &value, false);
            }
            name => member(name, &json!(value), false),
        }
    }
}

fn search(value: &Value, private: bool) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| member(name, value, private)),
        Value::Array(items) => items.iter().for_each(|item| search(item, private)),
        Value::String(_) if private => keep_out(text(value)),
        _ => {}
    }
}

fn member(name: &str, value: &Value, private: bool) {
    // A list of variables is what a version declares.
    search(value, private || (PRIVATE.contains(&name) && !value.is_array()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_out_is_also_kept_out_decoded_and_as_json_writes_it() {
        let variables = "%7B%22name%22%3A%22Ada%20of%20%5C%22Lovelace%5C%22%22%7D";
        keep_out_fields(
            format!("user_id=someone%20of%20ours&env=any-environment&variables={variables}").as_bytes(),
        );
        keep_out_body(
            b"csrf=the+token+of+a+form&key=cue_abcdefgh_the-secret-of-it&next=%2Fconsole%2Fprompts",
        );
        keep_out_body(b"variables=%5B%22a+declared+one%22%5D");
        let secrets = kept().secrets.clone();
        for secret in [
            "someone of ours",
            r#"Ada of "Lovelace""#,
            r#"Ada of \"Lovelace\""#,
            "the token of a form",
            "cue_abcdefgh_the-secret-of-it",
            "the-secret-of-it",
        ] {
            assert!(secrets.contains(secret), "{secret}: {secrets:?}");
        }
        assert_eq!(secrets.len(), 6, "{secrets:?}");
        let line = json!({ "detail": "for Ada of \"Lovelace\" alone" }).to_string();
        assert_eq!(leaks(&line, &secrets).len(), 1);
    }
}
