//! What AWS's own tools say about the template, without the network.

use std::process::Command;

use crate::root;

/// Runs a tool that `make tools` set up, on the template.
fn passes(tool: &str, arguments: &[&str]) {
    let program = root().join(".tools/bin").join(tool);
    assert!(program.exists(), "There is no .tools/bin/{tool}: say `make tools`.");
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()).env("HOME", home.path()).env("SAM_CLI_TELEMETRY", "0");
    // Whatever asks the network fails.
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_REGION", "us-east-1");
    command.env("HTTP_PROXY", "http://127.0.0.1:9").env("HTTPS_PROXY", "http://127.0.0.1:9");
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "{tool}:\n{}", said.concat());
}

#[test]
fn cfn_lint_accepts_it() {
    passes("cfn-lint", &["--regions", "us-east-1", "--", "template.yaml"]);
}

#[test]
fn sam_accepts_it() {
    passes("sam", &["validate", "--lint", "--region", "us-east-1", "--template", "template.yaml"]);
}
