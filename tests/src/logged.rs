//! What the platforms of a test program write into the log, and what must never be in it.

use std::{
    collections::BTreeSet,
    io,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    thread,
};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use runtime::log::{self, LevelFilter};
use serde_json::Value;
use tracing::subscriber;

use crate::call::text;

/// The least of a secret, in bytes: what is shorter stands in a log for other reasons.
const LEAST: usize = 12;

/// The most of one, in characters: a log that tells a long text tells how it begins.
const MOST: usize = 64;

/// The members of bodies whose texts are nobody's but their sender's.
const PRIVATE: [&str; 5] = ["api_key", "secret", "session_id", "user_id", "variables"];

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

/// Says that this text must be in no log.
pub fn keep_out(secret: &str) {
    if secret.len() >= LEAST {
        kept().secrets.insert(secret.chars().take(MOST).collect());
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
            let key = value.rsplit(' ').next().unwrap_or_default();
            keep_out(key);
            keep_out(key.splitn(3, '_').last().unwrap_or_default());
        }
        "cookie" | "set-cookie" => {
            let value = value.split(';').next().and_then(|cookie| cookie.split_once('='));
            keep_out(value.map(|(_, token)| token).unwrap_or_default());
        }
        _ => {}
    }
}

/// Keeps out what a body holds that is private.
pub(crate) fn keep_out_body(body: &[u8]) {
    if let Ok(body) = serde_json::from_slice(body) {
        search(&body, false);
    }
}

fn search(value: &Value, private: bool) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            // A list of variables is what a version declares.
            let private = private || (PRIVATE.contains(&name.as_str()) && !value.is_array());
            search(value, private);
        }),
        Value::Array(items) => items.iter().for_each(|item| search(item, private)),
        Value::String(_) if private => keep_out(text(value)),
        _ => {}
    }
}
