//! The README's way to a deployment names what the template has.

use std::{collections::BTreeSet, fs};

use regex::Regex;

use crate::{TEMPLATE, root, template::Template};

/// All that a pattern finds.
fn found(pattern: &str, text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// The parameters, outputs and resources that the section names.
fn named(section: &str) -> [BTreeSet<String>; 3] {
    let rows = found(r"(?m)^\| (`[^|]+) \|", section).into_iter().flat_map(|cell| found(r"`(\w+)`", &cell));
    let parameters = rows.chain(found(r"\b([A-Z][a-z]\w+)=[^=]", section));
    let outputs =
        found(r"(?:OutputKey==')(\w+)", section).into_iter().chain(found(r"output `(\w+)`", section));
    [parameters.collect(), outputs.collect(), found(r"\$\(of (\w+)\)", section)]
}

/// Those of them that the template has not.
fn unknown(section: &str, template: &Template) -> BTreeSet<String> {
    let [parameters, outputs, resources] = named(section);
    let parameters = parameters.into_iter().filter(|name| template.parameter(name).is_null());
    let outputs = outputs.into_iter().filter(|name| template.output(name).is_null());
    let resources = resources.into_iter().filter(|name| template.resource(name).is_null());
    parameters.chain(outputs).chain(resources).collect()
}

#[test]
fn the_readme_deploys_this_template() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("\n## ").find(|section| section.starts_with("Deploy it\n")).unwrap();
    let [parameters, outputs, resources] = named(section).map(|names| names.len());
    assert!(
        parameters >= 20 && outputs >= 4 && resources >= 4,
        "the section names {parameters} parameters, {outputs} outputs and {resources} resources"
    );
    assert_eq!(unknown(section, &Template::parse(TEMPLATE)), BTreeSet::new());
}

#[test]
fn what_the_template_has_not_is_found() {
    let template = Template::parse(
        "{Parameters: {Stage: {}}, Outputs: {Url: {Value: a}}, Resources: {Queue: {Type: A}}}",
    );
    let known = "| `Stage` | a |\nsay Stage=a, `X=b`, OutputKey=='Url', the output `Url` and $(of Queue)";
    assert_eq!(unknown(known, &template), BTreeSet::new());
    for broken in ["| `Stag` | a |", "Stag=a", "OutputKey=='Uri'", "the output `Uri`", "$(of Cue)"] {
        assert_eq!(unknown(broken, &template).len(), 1, "{broken}");
    }
}
