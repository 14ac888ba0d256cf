//! What benches say, and how they end.

use std::{
    fmt::Display,
    io::{Write as _, stderr, stdout},
    process::ExitCode,
};

/// Writes a line, at once.
pub fn line(text: &str) {
    // Where nobody reads, nobody misses it.
    let _ = writeln!(stdout(), "{text}");
}

/// Says where a server listens, apart from its log.
pub fn say(address: &str) {
    let _ = writeln!(stderr(), "{address}");
}

/// Prints a figure beside its target, and says whether it is met.
pub fn target(figure: &str, wanted: &str, met: bool) -> bool {
    line(&format!("{figure}; {wanted}: {}", word(met)));
    met
}

/// How a target is spoken of.
pub fn word(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

/// How a bench ends: well where it met all of its targets.
pub fn ended(done: Result<bool, impl Display>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            line(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
