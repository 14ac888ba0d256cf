//! Metrics: whatever comes twice, at once, out of order or half, the counters equal a recount.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod applying;
mod counting;
mod faults;
mod platforms;
mod queueing;
mod reading;
mod refusing;
mod scene;
mod told;
mod trials;
mod writes;
