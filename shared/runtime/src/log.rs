//! Logs: JSON, one object a line, to standard output.

use tracing_subscriber::{EnvFilter, fmt};

use crate::configuration::{Variables, name};

/// Begins logging. `default` says how much when `CUECARD_LOG` does not.
pub fn begin(variables: &mut Variables, default: &str) {
    let wanted: String = variables.optional(name::LOG, default.to_owned());
    // The engines and clients of other people tell their own stories; only their warnings are ours.
    let filter = if wanted.contains(['=', ',']) {
        EnvFilter::new(&wanted)
    } else {
        EnvFilter::new(format!("warn,{}", ours(&wanted)))
    };
    let begun = fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter)
        .try_init();
    if let Err(error) = begun {
        tracing::warn!(error = %error, "logging had begun already");
    }
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
