//! Resolving: what an application is answered over HTTP, and what the memory behind it promises.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod addresses;
mod answers;
mod batches;
mod bounds;
mod counts;
mod formats;
mod headers;
mod histories;
mod in_process;
mod memory;
mod refusals;
mod revisions;
mod scene;
mod tokens;
mod trials;
mod values;
