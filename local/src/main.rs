//! `cargo run --release -p local`: Cuecard on this machine.

use std::{
    io::{Write as _, stderr},
    process::ExitCode,
};

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = local::run(&local::Args::parse()).await else {
        return ExitCode::SUCCESS;
    };
    // Where even this cannot be said, the exit code says it.
    let _ = writeln!(stderr(), "error: {error}");
    ExitCode::FAILURE
}
