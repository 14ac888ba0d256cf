//! `template.yaml` is valid, and it agrees with the code. Each check is a function from a template to complaints, so
//! that the same checks are shown to refuse broken templates.

// Clippy then lets the helpers unwrap too.
#![cfg(test)]

mod asked;
mod broken;
mod cached;
mod checks;
mod code;
mod deployment;
mod lint;
mod pattern;
mod template;
mod written;

use std::path::{Path, PathBuf};

use crate::{code::Code, template::Template};

/// The template as it is deployed.
const TEMPLATE: &str = include_str!("../../template.yaml");

/// The root of the tree.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[tokio::test]
async fn the_template_agrees_with_the_code() {
    let complaints = checks::complaints(&Template::parse(TEMPLATE), &Code::read().await).await;
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
