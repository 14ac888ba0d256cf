//! Experiments and canaries: started, fed by resolves and metrics over HTTP, steered, decided, and ended by people.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod canaries;
mod compacting;
mod crowd;
mod equal;
mod explained;
mod feedback;
mod figures;
mod flags;
mod named;
mod people;
mod races;
mod stage;
mod starting;
mod strategies;
mod twins;
