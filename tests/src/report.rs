//! What benches say, and how they end.

use std::{
    fmt::Display,
    io::{Write as _, stderr, stdout},
    process::ExitCode,
    time::Duration,
};

use tokio::time::Instant;

/// How often progress is told.
const PACE: Duration = Duration::from_secs(3);

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

/// Tells how far something is, every few seconds.
pub struct Progress {
    began: Instant,
    told: Instant,
}

impl Progress {
    /// Begins now.
    pub fn begin() -> Self {
        Self { began: Instant::now(), told: Instant::now() }
    }

    /// Says how far it is, unless that was said a moment ago.
    pub fn tell(&mut self, how_far: impl FnOnce() -> String) {
        if self.told.elapsed() >= PACE {
            self.told = Instant::now();
            line(&format!("  {:>4.0} s  {}", self.took().as_secs_f64(), how_far()));
        }
    }

    /// How long it takes so far.
    pub fn took(&self) -> Duration {
        self.began.elapsed()
    }
}
