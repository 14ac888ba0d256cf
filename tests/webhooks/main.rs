//! Webhooks: who is told of what, how a receiver knows that it is true, and what becomes of messages that nobody takes.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod failing;
mod news;
mod receiver;
mod secrets;
mod stage;
