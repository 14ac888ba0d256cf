//! Evaluations: a version on its test set, judged by its gate, whatever the model's provider, the queue, the stream
//! and the process do meanwhile.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod asking;
mod assertions;
mod dead_letters;
mod impossible;
mod judged;
mod kill;
mod lab;
mod over_http;
mod patience;
mod reading;
mod redelivery;
mod sweep;
mod trying;

/// Held by each of the tests that ask for the whole machine.
static MACHINE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
