//! The real program `cuecard` against a platform in this process, over HTTP: what it prints, and how it ends.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod administration;
mod amazon;
mod evaluations;
mod files;
mod first_key;
mod forms;
mod mcp;
mod releases;
mod retries;
mod safety;
mod splits;
mod stage;
mod types;
