//! Contracts: each common rule and each refusal of the HTTP API, and the document that describes it.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod adding;
mod api;
mod authentication;
mod concurrency;
mod content_limits;
mod document;
mod errors;
mod figures;
mod foreign;
mod gate;
mod input;
mod kinds;
mod limits;
mod lists;
mod logs;
mod moves;
mod names;
mod openapi;
mod requests;
mod resolving;
mod retries;
mod roles;
mod schemathesis;
mod secrets;
mod tenants;
mod versions;
