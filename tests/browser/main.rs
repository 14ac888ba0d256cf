//! The console in a real browser: each flow as a person goes through it, and each page as it is drawn.
//!
//! A story is a file: it opens pages of a platform over HTTP, finds things by the names that a screen reader says, and
//! insists on what somebody sees. On each page that a story comes to, no script fails, no policy is broken and nothing is
//! asked of another host. To add a story: a file here with a [`stage::Stage`], and one [`tab::Tab`] for each person.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod chromium;
mod creating;
mod editing;
mod evaluating;
mod hands;
mod keyboard;
mod keys;
mod pages;
mod releasing;
mod reviewing;
#[cfg(feature = "screenshots")]
mod screenshots;
mod scriptless;
mod showcase;
mod stage;
mod tab;
mod test_sets;
mod trying;
