//! Evaluations: a version on its test set, judged by its gate, whatever the model's provider, the queue, the stream
//! and the process do meanwhile.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod asking;
mod assertions;
mod baselines;
mod beside;
mod budgets;
mod claims;
mod dead_letters;
mod deadlines;
mod erasure;
mod faults;
mod formats;
mod impossible;
mod judged;
mod judges;
mod kill;
mod lab;
mod limits;
mod models;
mod over_http;
mod patience;
mod reading;
mod redelivery;
mod repeats;
mod review;
mod sweep;
mod traces;
mod trying;
mod watch;

/// Held by each of the tests that ask for the whole machine.
static MACHINE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
