//! Each package of a function is deployed once, as it is built.

use serde_json::{Value, json};

use crate::{
    code::Code,
    root,
    template::{Function, Template},
};

/// Where `make build` puts the functions.
const BUILT: &str = "target/lambda-arm64";

/// What all functions have in common.
const COMMON: [(&str, &str); 3] =
    [("Handler", r#""bootstrap""#), ("Runtime", r#""provided.al2023""#), ("Architectures", r#"["arm64"]"#)];

pub(crate) fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let functions = template.functions();
    let mut complaints = Vec::new();
    for package in code.packages.keys().filter(|package| !functions.iter().any(|f| f.id == id(package))) {
        complaints.push(format!("no function is called {}, for functions/{package}", id(package)));
    }
    for function in &functions {
        match code.packages.keys().find(|package| id(package) == function.id) {
            Some(package) => {
                complaints.extend(misbuilt(function, package));
                complaints.extend(untaken(template, function));
            }
            None => complaints.push(format!("{} has no package in functions/", function.id)),
        }
    }
    complaints.extend(misscheduled(&functions));
    complaints
}

/// A package's name as names of the template are written.
pub(crate) fn id(package: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    package.split('-').map(word).collect()
}

fn misbuilt(function: &Function, package: &str) -> Vec<String> {
    let uri = json!(format!("{BUILT}/{package}"));
    let common = COMMON.map(|(property, wanted)| (property, serde_json::from_str(wanted).unwrap()));
    let wanted: Vec<(&str, Value)> = common.into_iter().chain([("CodeUri", uri)]).collect();
    let wrong = wanted.into_iter().filter(|(property, wanted)| function.properties[property] != *wanted);
    wrong.map(|(property, wanted)| format!("{}: its {property} is not {wanted}", function.id)).collect()
}

/// How `sam build` would not take what is built. The rule for it is in the Makefile of the tree.
fn untaken(template: &Template, function: &Function) -> Option<String> {
    let wanted = json!({ "BuildMethod": "makefile", "ContextPath": "." });
    let given = &template.resource(&function.id)["Metadata"];
    (*given != wanted).then(|| format!("{}: its Metadata is not {wanted}", function.id))
}

fn misscheduled(functions: &[Function]) -> Option<String> {
    let steer = functions.iter().find(|function| function.id == "Steer")?;
    let rates: Vec<_> = steer.events("ScheduleV2").map(|event| &event["ScheduleExpression"]).collect();
    (rates != [&json!("rate(1 minute)")]).then(|| "Steer: it is not called every minute".to_owned())
}

#[test]
fn the_makefile_builds_into_the_folder_that_is_deployed() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    assert!(makefile.contains(&format!("--arm64 --lambda-dir {BUILT}\n")));
}
