//! Doors: what clients ask who know nothing of us, in the words of protocols that others made.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod all_flags;
mod flags;
mod openfeature;
mod stage;
