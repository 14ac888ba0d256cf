//! Logs: JSON, one object a line, to standard output.

use std::{fs::File, io, os::fd::AsFd as _, str::FromStr, sync::Arc};

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt};

use crate::configuration::{Variables, name};

/// How much is logged: a level for our own packages, or a whole filter in the words of `tracing`.
struct Wanted(EnvFilter);

impl FromStr for Wanted {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.contains(['=', ',']) {
            return EnvFilter::try_new(text).map(Self);
        }
        // Other people's packages tell their own stories; of these only warnings are ours, and the engine that
        // stands in for DynamoDB warns of every refused call.
        EnvFilter::try_new(format!("warn,dynoxide=error,{}", ours(text))).map(Self)
    }
}

/// Begins logging. `default` says how much when `CUECARD_LOG` does not.
pub fn begin(variables: &mut Variables, default: &'static str) {
    let fallback = || Wanted(EnvFilter::new(ours(default)));
    let Wanted(filter) = variables.optional(name::LOG, default.parse().unwrap_or_else(|_| fallback()));
    let begun = fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter);
    // Each line is one write of its own: requests wait for no lock of each other's, and none is left in a buffer.
    let begun = match unbuffered_stdout() {
        Ok(stdout) => begun.with_writer(Arc::new(stdout)).try_init(),
        Err(_) => begun.try_init(),
    };
    if let Err(error) = begun {
        tracing::warn!(error = %error, "logging had begun already");
    }
}

/// Standard output, each write of which goes out at once.
pub fn unbuffered_stdout() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

fn ours(level: &str) -> String {
    const PACKAGES: [&str; 16] = [
        "authoring",
        "cache",
        "dispatch",
        "domain",
        "eval_worker",
        "local",
        "models",
        "registry",
        "release",
        "resolve",
        "rollback",
        "runtime",
        "steer",
        "store",
        "try_model",
        "web",
    ];
    PACKAGES.map(|package| format!("{package}={level}")).join(",")
}
