//! The console as people use it: signing in, pages, forms, and what hostile texts and hostile sites come to.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod confirming;
mod crawl;
mod editing;
mod figures;
mod forms;
mod hostile;
mod keeping;
mod moves;
mod rating;
mod reading;
mod reference;
mod scene;
mod signing_in;

use e2e::browser;
