//! The function on managed instances is the one whose code it has, but for what such instances ask for. It is there on
//! request, and whoever asks for the one then asks for the other.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;
use serde_json::Value;

use crate::{
    code::Code,
    template::{Template, alternatives, differs, entries},
};

const STANDARD: &str = "Resolve";
const MANAGED: &str = "ResolveManaged";

/// Where its instances are.
const CAPACITY: &str = "ResolveCapacity";

/// Whether it is there, whether it is called, and whether its instances are in a network of ours.
const THERE: &str = "ResolveHasInstances";
const CALLED: &str = "ResolveIsManaged";
const IN_OURS: &str = "InstancesAreInOurs";

/// What it has of its own: all else is as the other has it. An environment has the least core and memory that there
/// are, and the network is that of the instances.
const OWN: [(&str, &str); 6] = [
    (
        "CapacityProviderConfig",
        r#"{"Arn":{"Fn::GetAtt":"ResolveCapacity.Arn"},"ExecutionEnvironmentMemoryGiBPerVCpu":2,"PerExecutionEnvironmentMaxConcurrency":32}"#,
    ),
    ("LoggingConfig", r#"{"LogFormat":"JSON","LogGroup":{"Ref":"FunctionsLog"}}"#),
    ("MemorySize", "2048"),
    ("ProvisionedConcurrencyConfig", "null"),
    ("ReservedConcurrentExecutions", "null"),
    ("VpcConfig", "null"),
];

/// The instances, and how their log leaves our network.
const WANTED: [(&str, &str, &str); 10] = [
    (CAPACITY, "/InstanceRequirements", r#"{"Architectures":["arm64"]}"#),
    (CAPACITY, "/ScalingConfig", r#"{"MaxVCpuCount":{"Ref":"ResolveInstancesMost"}}"#),
    ("ToLogs", "/PrivateDnsEnabled", "true"),
    ("ToLogs", "/SubnetIds", r#"[{"Ref":"SubnetA"},{"Ref":"SubnetB"}]"#),
    ("ToLogs", "/SecurityGroupIds", r#"[{"Ref":"LogsGroup"}]"#),
    ("LogsGroup", "/SecurityGroupIngress/0/FromPort", "443"),
    ("LogsGroup", "/SecurityGroupIngress/0/ToPort", "443"),
    ("LogsGroup", "/SecurityGroupIngress/0/CidrIp", "null"),
    ("LogsGroup", "/SecurityGroupIngress/0/SourceSecurityGroupId", r#"{"Ref":"FunctionsGroup"}"#),
    ("LogsGroup", "/SecurityGroupIngress/1", "null"),
];

/// When it is there, when it is called, and when its instances are in a network of ours.
const CONDITIONS: [(&str, &str); 3] = [
    (THERE, r#"{"Fn::Not":[{"Fn::Equals":[{"Ref":"ResolveInstances"},"none"]}]}"#),
    (CALLED, r#"{"Fn::Equals":[{"Ref":"ResolveInstances"},"called"]}"#),
    (IN_OURS, r#"{"Fn::And":[{"Fn::Condition":"NetworkIsOurs"},{"Fn::Condition":"ResolveHasInstances"}]}"#),
];

/// What is there then alone.
const ON_REQUEST: [(&str, &str); 5] =
    [(MANAGED, THERE), (CAPACITY, THERE), (DOORS[1], THERE), ("ToLogs", IN_OURS), ("LogsGroup", IN_OURS)];

/// By what the gateway may call either of them, so that it may before it does.
const DOORS: [&str; 2] = ["ApiCallsResolve", "ApiCallsResolveManaged"];

/// Who else asks for one of them whichever is called: environments of the other one are kept warm.
const WARMTH: &str = "ResolveWarmth";

pub(crate) fn complaints(template: &Template, _: &Code) -> Vec<String> {
    let mut complaints = unlike(template);
    complaints.extend(WANTED.iter().filter_map(|wanted| differs(template, wanted)));
    complaints.extend(unasked(template));
    let resources = template.all().filter(|(id, _)| *id != WARMTH && !DOORS.contains(id));
    let astray = resources.filter(|(_, resource)| asks_for_one(&resource["Properties"]));
    complaints.extend(astray.map(|(id, _)| format!("{id}: it does not ask for the one that is called")));
    complaints
}

/// What a value is while nobody asks for managed instances.
pub(crate) fn otherwise(value: &Value) -> &Value {
    if value["Fn::If"][0] == CALLED { alternatives(value)[1] } else { value }
}

/// How it is another function than the one whose code it has.
fn unlike(template: &Template) -> Vec<String> {
    let [standard, mut managed] = [STANDARD, MANAGED].map(|id| template.function(id).properties);
    let mut complaints = Vec::new();
    for (property, wanted) in OWN {
        let wanted: Value = serde_json::from_str(wanted).unwrap();
        if managed[property] != wanted {
            complaints.push(format!("{MANAGED}: its {property} is not {wanted}"));
        }
    }
    // So that SAM makes nothing for releasing it where it is not there.
    let conditional =
        managed["DeploymentPreference"].as_object_mut().and_then(|how| how.remove("PassthroughCondition"));
    if conditional != Some(Value::Bool(true)) {
        complaints.push(format!("{MANAGED}: it is released though it is not there"));
    }
    let names: BTreeSet<_> =
        entries(&standard).chain(entries(&managed)).map(|(name, _)| name.to_owned()).collect();
    let shared = names.iter().filter(|name| OWN.iter().all(|(own, _)| own != name));
    let unlike = shared.filter(|name| standard[name.as_str()] != managed[name.as_str()]);
    complaints.extend(unlike.map(|name| format!("{MANAGED}: its {name} is not that of {STANDARD}")));
    if template.resource(MANAGED)["Metadata"] != template.resource(STANDARD)["Metadata"] {
        complaints.push(format!("{MANAGED}: its Metadata is not that of {STANDARD}"));
    }
    let [door, managed] = DOORS.map(|id| &template.resource(id)["Properties"]);
    if managed == door || !is_that_of(managed, door) {
        complaints.push(format!("{}: its Properties are not those of {}", DOORS[1], DOORS[0]));
    }
    if template.resource(CAPACITY)["Properties"]["VpcConfig"] != standard["VpcConfig"] {
        complaints.push(format!("{CAPACITY}: its VpcConfig is not that of {STANDARD}"));
    }
    complaints
}

/// What is there though nobody asked for it.
fn unasked(template: &Template) -> Vec<String> {
    let always = ON_REQUEST.iter().filter(|(id, condition)| template.resource(id)["Condition"] != *condition);
    let always = always.map(|(id, condition)| format!("{id}: it is not there by {condition}"));
    let json = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let wrong = CONDITIONS.iter().filter(|(id, wanted)| *template.condition(id) != json(wanted));
    let wrong = wrong.map(|(id, wanted)| format!("{id}: it is not {wanted}"));
    let asked = template.parameter("ResolveInstances")["Default"] != "none";
    let asked = asked.then(|| "ResolveInstances: it is not none where nobody says anything".to_owned());
    always.chain(wrong).chain(asked).collect()
}

/// Whether something says of the one what something else says of the other.
fn is_that_of(managed: &Value, standard: &Value) -> bool {
    let renamed = managed.to_string().replace(MANAGED, STANDARD);
    serde_json::from_str::<Value>(&renamed).is_ok_and(|renamed| renamed == *standard)
}

/// Whether something names one of both functions, and not the one that is called.
fn asks_for_one(value: &Value) -> bool {
    if value["Fn::If"][0] == CALLED {
        let [managed, standard] = alternatives(value)[..] else { return true };
        return managed == standard || !is_that_of(managed, standard);
    }
    match value {
        Value::Array(list) => list.iter().any(asks_for_one),
        Value::Object(members) => members.values().any(asks_for_one),
        Value::String(text) => names_one(text),
        _ => false,
    }
}

/// Whether a text is what `!Ref` or `!GetAtt` has of one of both, or has that within.
fn names_one(text: &str) -> bool {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(r"^({STANDARD}|{MANAGED})(\.|$)|\$\{{({STANDARD}|{MANAGED})[.}}]")).unwrap()
    });
    NAMED.is_match(text)
}
