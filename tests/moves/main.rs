//! Moves of refs, and the audit that proves them: among other movers, under faults, over several processes.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod archive;
mod contents;
mod direct;
mod export;
mod faults;
mod invariants;
mod locks;
mod processes;
mod random;
mod reading;
mod restore;
mod storm;
mod support;
mod table_down;
mod targets;
mod together;
mod told;
mod undo;
