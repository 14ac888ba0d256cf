//! What functions may do is said action by action, and it is what their calls need: nothing is missing, and nothing is
//! left over.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    code::Code,
    template::{Function, Template, alternatives, elements, named, text},
};

/// What the calls of each function need. It was found by following them through the packages in `shared/`: whoever
/// adds a call of a new kind says it here. Who is in the network may connect to the cache; `steer` does not yet.
const NEEDED: [(&str, &[&str]); 12] = [
    (
        "Authoring",
        &[
            "dynamodb:BatchGetItem on Registry.Arn",
            "dynamodb:ConditionCheckItem on Registry.Arn",
            "dynamodb:GetItem on Registry.Arn",
            "dynamodb:GetItem on Telemetry.Arn",
            "dynamodb:PutItem on Registry.Arn",
            "dynamodb:Query on ${Registry.Arn}/index/gsi1",
            "dynamodb:Query on Registry.Arn",
            "dynamodb:Query on Telemetry.Arn",
            "dynamodb:UpdateItem on Registry.Arn",
            "dynamodb:UpdateItem on Telemetry.Arn",
            "elasticache:Connect on Cache.ARN",
            "elasticache:Connect on CacheUser.Arn",
            GIVEN_CACHE,
            GIVEN_USER,
            "s3:DeleteObject on ${TestSets.Arn}/datasets/*",
            "s3:DeleteObject on ${TestSets.Arn}/uploads/*",
            "s3:GetObject on ${TestSets.Arn}/datasets/*",
            "s3:GetObject on ${TestSets.Arn}/uploads/*",
            "s3:ListBucket on TestSets.Arn",
            "s3:PutObject on ${TestSets.Arn}/datasets/*",
            "s3:PutObject on ${TestSets.Arn}/uploads/*",
        ],
    ),
    (
        "Console",
        &[
            "dynamodb:BatchGetItem on Registry.Arn",
            "dynamodb:ConditionCheckItem on Registry.Arn",
            "dynamodb:DeleteItem on Registry.Arn",
            "dynamodb:GetItem on Registry.Arn",
            "dynamodb:GetItem on Telemetry.Arn",
            "dynamodb:PutItem on Registry.Arn",
            "dynamodb:PutItem on Telemetry.Arn",
            "dynamodb:Query on ${Registry.Arn}/index/gsi1",
            "dynamodb:Query on Registry.Arn",
            "dynamodb:Query on Telemetry.Arn",
            "dynamodb:UpdateItem on Registry.Arn",
            "dynamodb:UpdateItem on Telemetry.Arn",
            "elasticache:Connect on Cache.ARN",
            "elasticache:Connect on CacheUser.Arn",
            GIVEN_CACHE,
            GIVEN_USER,
            "s3:DeleteObject on ${TestSets.Arn}/datasets/*",
            "s3:GetObject on ${TestSets.Arn}/datasets/*",
            "s3:ListBucket on TestSets.Arn",
            "s3:PutObject on ${TestSets.Arn}/datasets/*",
        ],
    ),
    (
        "Dispatch",
        &[
            "dynamodb:GetItem on Registry.Arn",
            "dynamodb:PutItem on Registry.Arn",
            "dynamodb:Query on ${Registry.Arn}/index/gsi1",
            "dynamodb:Query on Registry.Arn",
            "dynamodb:Query on Telemetry.Arn",
            "s3:GetObject on ${TestSets.Arn}/datasets/*",
            "s3:ListBucket on TestSets.Arn",
            MODEL_KEYS,
            "sqs:SendMessage on EvalCases.Arn",
            "sqs:SendMessage on Webhooks.Arn",
        ],
    ),
    (
        "EvalWorker",
        &[
            "dynamodb:GetItem on Registry.Arn",
            "dynamodb:GetItem on Telemetry.Arn",
            "dynamodb:PutItem on Registry.Arn",
            "dynamodb:PutItem on Telemetry.Arn",
            "dynamodb:Query on Registry.Arn",
            "dynamodb:Query on Telemetry.Arn",
            "dynamodb:UpdateItem on Telemetry.Arn",
            "s3:GetObject on ${TestSets.Arn}/datasets/*",
            "s3:ListBucket on TestSets.Arn",
            MODEL_KEYS,
            BEDROCK_MODELS,
            BEDROCK_PROFILES,
            "sqs:SendMessage on EvalCases.Arn",
        ],
    ),
    (
        "Ingest",
        &[
            "dynamodb:GetItem on Registry.Arn",
            "dynamodb:Query on ${Registry.Arn}/index/gsi1",
            "dynamodb:UpdateItem on Telemetry.Arn",
            "sqs:SendMessage on Metrics.Arn",
        ],
    ),
    ("Notify", &["dynamodb:GetItem on Registry.Arn", "dynamodb:PutItem on Registry.Arn"]),
    (
        "Propagate",
        &[
            "dynamodb:GetItem on Registry.Arn",
            "elasticache:Connect on Cache.ARN",
            "elasticache:Connect on CacheUser.Arn",
            GIVEN_CACHE,
            GIVEN_USER,
            "s3:PutObject on ${Archive.Arn}/audit/*",
        ],
    ),
    (
        "Resolve",
        &[
            "dynamodb:BatchGetItem on Telemetry.Arn",
            "dynamodb:GetItem on Registry.Arn",
            "dynamodb:PutItem on Telemetry.Arn",
            "dynamodb:Query on ${Registry.Arn}/index/gsi1",
            "dynamodb:UpdateItem on Telemetry.Arn",
            "elasticache:Connect on Cache.ARN",
            "elasticache:Connect on CacheUser.Arn",
            GIVEN_CACHE,
            GIVEN_USER,
        ],
    ),
    (
        "Rollback",
        &[
            "dynamodb:GetItem on Registry.Arn",
            "dynamodb:PutItem on Registry.Arn",
            "dynamodb:Query on ${Registry.Arn}/index/gsi1",
            "dynamodb:Query on Registry.Arn",
            "dynamodb:UpdateItem on Registry.Arn",
            "dynamodb:UpdateItem on Telemetry.Arn",
            "elasticache:Connect on Cache.ARN",
            "elasticache:Connect on CacheUser.Arn",
            GIVEN_CACHE,
            GIVEN_USER,
        ],
    ),
    (
        "Rollup",
        &[
            "dynamodb:BatchGetItem on Telemetry.Arn",
            "dynamodb:PutItem on Telemetry.Arn",
            "dynamodb:UpdateItem on Telemetry.Arn",
        ],
    ),
    (
        "Steer",
        &[
            "dynamodb:DeleteItem on Telemetry.Arn",
            "dynamodb:GetItem on Registry.Arn",
            "dynamodb:GetItem on Telemetry.Arn",
            "dynamodb:PutItem on Registry.Arn",
            "dynamodb:PutItem on Telemetry.Arn",
            "dynamodb:Query on ${Registry.Arn}/index/gsi1",
            "dynamodb:Query on Registry.Arn",
            "dynamodb:Query on Telemetry.Arn",
            "dynamodb:UpdateItem on Telemetry.Arn",
            "elasticache:Connect on Cache.ARN",
            "elasticache:Connect on CacheUser.Arn",
            GIVEN_CACHE,
            GIVEN_USER,
            "s3:DeleteObject on ${TestSets.Arn}/datasets/*",
            "s3:DeleteObject on ${TestSets.Arn}/uploads/*",
            "s3:GetObject on ${Archive.Arn}/audit/*",
            "s3:ListBucket on Archive.Arn",
            "s3:ListBucket on TestSets.Arn",
            "s3:PutObject on ${Archive.Arn}/audit/*",
        ],
    ),
    (
        "Try",
        &[
            "dynamodb:GetItem on Registry.Arn",
            "dynamodb:GetItem on Telemetry.Arn",
            "dynamodb:PutItem on Telemetry.Arn",
            "dynamodb:UpdateItem on Telemetry.Arn",
            MODEL_KEYS,
            BEDROCK_MODELS,
            BEDROCK_PROFILES,
        ],
    ),
];

/// A cache that the deployment is given, and its user.
const GIVEN_CACHE: &str = "elasticache:Connect on \
     arn:${AWS::Partition}:elasticache:${AWS::Region}:${AWS::AccountId}:serverlesscache:${CacheName}";
const GIVEN_USER: &str = "elasticache:Connect on \
     arn:${AWS::Partition}:elasticache:${AWS::Region}:${AWS::AccountId}:user:${CacheUserId}";

/// The providers' keys.
const MODEL_KEYS: &str = "secretsmanager:GetSecretValue on \
     arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${ModelSecrets}/*";
/// Bedrock's models, …
const BEDROCK_MODELS: &str =
    "bedrock:InvokeModel on arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/*";
/// … and what stands for them over several regions.
const BEDROCK_PROFILES: &str = "bedrock:InvokeModel on \
     arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}:inference-profile/*";

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
        complaints.extend(misjudged(template, function));
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
fn misjudged(template: &Template, function: &Function) -> Vec<String> {
    let id = &function.id;
    let needed = NEEDED.iter().filter(|(needing, _)| needing == id).flat_map(|(_, calls)| *calls);
    let needed: BTreeSet<String> = needed.map(|call| (*call).to_owned()).collect();
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

/// Wildcards; only the objects of a folder are all meant.
fn too_wide(id: &str, statement: &Value) -> Vec<String> {
    let actions = elements(&statement["Action"]).into_iter().map(text).filter(|action| action.contains('*'));
    let resources = elements(&statement["Resource"]).into_iter().flat_map(alternatives).map(place);
    let wide = resources.filter(|resource| resource.trim_end_matches("/*").contains('*'));
    actions.chain(wide).map(|wide| format!("{id}: {wide} is too wide")).collect()
}
