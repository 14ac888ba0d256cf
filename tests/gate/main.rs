//! The gate of production: nothing is ever resolved there that nobody and nothing let through, whatever all roles do
//! at the same time; each rule of a policy, from both its sides; and what is poisoned stays harmless.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]
// A random play awaits every use case, one inside the other.
#![recursion_limit = "256"]

mod deeds;
mod ledger;
mod oracle;
mod play;
mod poisoned;
mod policy;
mod property;
mod races;
mod stage;
