//! What functions may do is said action by action, and it is what their calls need, which were heard as each of them did
//! its work: nothing is missing, and nothing is left over.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    asked::heard,
    checks::network::is_inside,
    code::Code,
    template::{Function, Template, alternatives, elements, named, text},
};

/// What is needed and no call asks for, by who is in the network: to log in to the cache. A token does that which they
/// sign themselves. Nothing comes here that can be heard.
const UNHEARD: [&str; 4] = [
    "elasticache:Connect on Cache.ARN",
    "elasticache:Connect on CacheUser.Arn",
    "elasticache:Connect on \
     arn:${AWS::Partition}:elasticache:${AWS::Region}:${AWS::AccountId}:serverlesscache:${CacheName}",
    "elasticache:Connect on \
     arn:${AWS::Partition}:elasticache:${AWS::Region}:${AWS::AccountId}:user:${CacheUserId}",
];

pub(crate) fn complaints(template: &Template, code: &Code) -> Vec<String> {
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
        complaints.extend(misjudged(template, code, function));
        complaints.extend(crowded(function));
    }
    for (id, policy) in template.resources("AWS::IAM::ManagedPolicy") {
        if !used.contains(id) {
            complaints.push(format!("{id}: nobody has it"));
        }
        complaints.extend(statements(policy).into_iter().flat_map(|statement| too_wide(id, statement)));
    }
    complaints
}

/// What a function may not do though it has to, and what it may do though it has not to.
fn misjudged(template: &Template, code: &Code, function: &Function) -> Vec<String> {
    let id = &function.id;
    let mut needed = code.asked.get(id).cloned().unwrap_or_default();
    if is_inside(id) {
        needed.extend(UNHEARD.map(str::to_owned));
    }
    let policies = elements(&function.properties["Policies"]).into_iter().filter_map(named);
    let allowed: BTreeSet<String> =
        policies.flat_map(|policy| statements(template.resource(policy))).flat_map(calls).collect();
    let missing = needed.difference(&allowed).map(|call| format!("{id}: it may not {call}"));
    let needless = allowed.difference(&needed);
    missing.chain(needless.map(|call| format!("{id}: it may {call}, which it does not need"))).collect()
}

/// The most policies that IAM attaches to a role. What SAM adds to a function's own counts too: one to write the log,
/// one to be in the network, and one for each kind of source that it reads.
const MOST_POLICIES: usize = 10;

/// A role that takes no more policies, so that the deployment fails.
fn crowded(function: &Function) -> Option<String> {
    let own = elements(&function.properties["Policies"]).len();
    let networked = usize::from(!function.properties["VpcConfig"].is_null());
    let sources =
        ["SQS", "DynamoDB"].into_iter().filter(|kind| function.events(kind).next().is_some()).count();
    let all = own + 1 + networked + sources;
    let id = &function.id;
    (all > MOST_POLICIES).then(|| format!("{id}: its role has {all} policies, and takes {MOST_POLICIES}"))
}

fn statements(policy: &Value) -> Vec<&Value> {
    elements(&policy["Properties"]["PolicyDocument"]["Statement"])
}

/// What a statement allows, each action on each resource.
fn calls(statement: &Value) -> Vec<String> {
    if statement["Effect"] != "Allow" || !statement["Condition"].is_null() {
        return Vec::new();
    }
    let resource = |resource| place(resource).to_owned();
    let given = elements(&statement["Resource"]).into_iter().flat_map(alternatives);
    let resources: Vec<String> = given.map(resource).collect();
    let actions = elements(&statement["Action"]).into_iter().map(text);
    actions.flat_map(|action| resources.iter().map(move |on| format!("{action} on {on}"))).collect()
}

/// A resource as the template names it.
fn place(resource: &Value) -> &str {
    resource["Fn::GetAtt"].as_str().unwrap_or(text(resource))
}

/// Wildcards; only the objects of a folder are all meant, and Bedrock's models in all regions, which belong to nobody.
fn too_wide(id: &str, statement: &Value) -> Vec<String> {
    let actions = elements(&statement["Action"]).into_iter().map(text).filter(|action| action.contains('*'));
    let resources = elements(&statement["Resource"]).into_iter().flat_map(alternatives).map(place);
    let wide = resources
        .filter(|resource| resource.trim_end_matches("/*").replace(":bedrock:*::", "").contains('*'));
    actions.chain(wide).map(|wide| format!("{id}: {wide} is too wide")).collect()
}

#[tokio::test]
async fn nothing_is_believed_that_can_be_heard() {
    let heard = heard().await.asked.values().flatten().find(|call| UNHEARD.contains(&call.as_str()));
    assert_eq!(heard, None);
}
