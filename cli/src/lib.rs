//! `cuecard`: everything that the API does, from a terminal or a script.
//!
//! A command is: ask the API through `client`, show the answer. To add one: a file in `commands` with its arguments and
//! examples, and a `Show` or `Row` in `show` for what it shows.

mod arguments;
mod aws;
mod commands;
mod failure;
mod files;
mod output;
mod paper;
mod profile;
mod progress;
mod session;
mod show;
mod sources;
mod sync;
mod values;
mod which;

use std::process::ExitCode;

use clap::Parser as _;

/// Whether the text of a file of this name says prompts, in any form that is imported. It is how the fuzz targets come
/// to what reads those forms.
pub fn is_imported(name: &str, text: &str) -> bool {
    files::prompts_in(name, text).is_ok()
}

/// Does what the command line says, and returns the exit code that says how it went.
pub async fn run() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    let output = output::Output::new(arguments.globals.output);
    match commands::run(arguments, output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}
