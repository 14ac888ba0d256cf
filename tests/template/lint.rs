//! What AWS's own tools make of the template, without the network.

use std::{fs, path::Path, process::Command};

use crate::{
    TEMPLATE, root,
    template::{Function, Template, text},
};

/// Runs a tool that `make tools` set up, in a folder.
fn passes(tool: &str, arguments: &[&str], folder: &Path) {
    let program = root().join(".tools/bin").join(tool);
    assert!(program.exists(), "There is no .tools/bin/{tool}: say `make tools`.");
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("HOME", home.path()).env("SAM_CLI_TELEMETRY", "0");
    // Whatever asks the network fails.
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_REGION", "us-east-1");
    command.env("HTTP_PROXY", "http://127.0.0.1:9").env("HTTPS_PROXY", "http://127.0.0.1:9");
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "{tool}:\n{}", said.concat());
}

#[test]
fn cfn_lint_accepts_it() {
    passes("cfn-lint", &["--regions", "us-east-1", "--", "template.yaml"], &root());
}

#[test]
fn sam_accepts_it() {
    passes("sam", &["validate", "--lint", "--region", "us-east-1", "--template", "template.yaml"], &root());
}

#[test]
fn sam_takes_what_make_has_built() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["template.yaml", "Makefile"] {
        fs::copy(root().join(file), folder.path().join(file)).unwrap();
    }
    let template = Template::parse(TEMPLATE);
    let functions = template.resources("AWS::Serverless::Function").map(|(id, _)| template.function(id));
    let functions: Vec<_> = functions.collect();
    let program = |function: &Function| text(&function.properties["CodeUri"]).to_owned();
    for function in &functions {
        let built = folder.path().join(program(function));
        fs::create_dir_all(&built).unwrap();
        fs::write(built.join("bootstrap"), program(function)).unwrap();
    }
    passes("sam", &["build"], folder.path());
    for function in &functions {
        let taken = folder.path().join(".aws-sam/build").join(&function.id).join("bootstrap");
        assert_eq!(fs::read_to_string(taken).unwrap(), program(function));
    }
}
