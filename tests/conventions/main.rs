//! The rules of the tree that a program can hold. A test's name tells its rule, a failure lists every place that breaks
//! it, and each rule is a function over plain values, so that a test beside it shows it failing.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod dependencies;
mod docs;
mod form;
mod licences;
mod packages;
mod places;
mod sleeps;
mod sources;
mod tree;
