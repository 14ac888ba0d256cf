//! What functions may do is said action by action.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    code::Code,
    template::{Template, elements, named, text},
};

pub(crate) fn complaints(template: &Template, _: &Code) -> Vec<String> {
    let functions = template.functions();
    let mut complaints = Vec::new();
    let mut used = BTreeSet::new();
    for function in &functions {
        for policy in elements(&function.properties["Policies"]) {
            match named(policy) {
                Some(policy) => drop(used.insert(policy)),
                None => complaints.push(format!("{}: {policy} is no policy of this template", function.id)),
            }
        }
    }
    for (id, policy) in template.resources("AWS::IAM::ManagedPolicy") {
        if !used.contains(id) {
            complaints.push(format!("{id}: nobody has it"));
        }
        let statements = elements(&policy["Properties"]["PolicyDocument"]["Statement"]);
        complaints.extend(statements.into_iter().flat_map(|statement| too_wide(id, statement)));
    }
    complaints
}

/// Wildcards; only the objects of a folder are all meant.
fn too_wide(id: &str, statement: &Value) -> Vec<String> {
    let actions = elements(&statement["Action"]).into_iter().map(text).filter(|action| action.contains('*'));
    let resources = elements(&statement["Resource"]).into_iter().map(text);
    let wide = resources.filter(|resource| resource.trim_end_matches("/*").contains('*'));
    actions.chain(wide).map(|wide| format!("{id}: {wide} is too wide")).collect()
}
