//! The cache that all processes share: what another process sees of it, and what happens when it fails.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod ahead;
mod answers;
mod bound;
mod changes;
mod clocks;
mod fencing;
mod moves;
mod outages;
mod pairs;
mod propagate;
mod scene;
mod simulation;
mod stored;
mod waits;
