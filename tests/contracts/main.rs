//! Contracts: each common rule and each refusal of the HTTP API, and the document that describes it.

mod api;
mod document;
mod openapi;
