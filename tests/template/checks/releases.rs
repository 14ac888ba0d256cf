//! New code of what must not fail reaches few callers first, and alarms take it back; resolve is kept warm on request.

use serde_json::{Value, json};

use crate::{
    checks::{managed::otherwise, watched::metrics},
    code::Code,
    template::{Template, differs, elements, named},
};

/// The functions whose new code is tried on a few calls, each with the alarm that watches these alone.
const RELEASED: [(&str, &str); 3] = [
    ("Authoring", "AuthoringNewVersion"),
    ("Resolve", "ResolveNewVersion"),
    ("Rollback", "RollbackNewVersion"),
];

/// How each of them is released. A new configuration is new code: the alias would not have it otherwise.
const RELEASE: [(&str, &str); 4] = [
    ("/AutoPublishAlias", r#""live""#),
    ("/AutoPublishAliasAllProperties", "true"),
    ("/DeploymentPreference/Type", r#"{"Ref":"Release"}"#),
    ("/DeploymentPreference/Enabled", r#"{"Ref":"ReleaseWatched"}"#),
];

/// How resolve is kept warm.
const WARM: [(&str, &str, &str); 5] = [
    (
        "Resolve",
        "/ProvisionedConcurrencyConfig",
        r#"{"Fn::If":["ResolveIsWarm",{"ProvisionedConcurrentExecutions":{"Ref":"ResolveWarm"}},{"Ref":"AWS::NoValue"}]}"#,
    ),
    ("ResolveWarmth", "/ResourceId", r#"{"Fn::Sub":"function:${Resolve}:live"}"#),
    ("ResolveWarmth", "/MinCapacity", r#"{"Ref":"ResolveWarm"}"#),
    ("ResolveWarmth", "/MaxCapacity", r#"{"Ref":"ResolveWarmMost"}"#),
    ("ResolveWarmthPolicy", "/ScalingTargetId", r#"{"Ref":"ResolveWarmth"}"#),
];

pub(crate) fn complaints(template: &Template, _: &Code) -> Vec<String> {
    let mut complaints = Vec::new();
    for (id, alarm) in RELEASED {
        let release = RELEASE.iter().map(|(place, wanted)| (id, *place, *wanted));
        complaints.extend(release.filter_map(|wanted| differs(template, &wanted)));
        complaints.extend(unwatched(template, id, alarm));
    }
    complaints.extend(WARM.iter().filter_map(|wanted| differs(template, wanted)));
    if named(template.output("RollbackFunction")) != Some("Rollback.Alias") {
        complaints.push("Rollback: whom to invoke is not told by its alias".to_owned());
    }
    complaints
}

/// How new code is not taken back.
fn unwatched(template: &Template, id: &str, newest: &str) -> Vec<String> {
    let preference = &template.resource(id)["Properties"]["DeploymentPreference"];
    let alarms: Vec<_> = elements(&preference["Alarms"]).into_iter().filter_map(named).collect();
    let mut complaints = Vec::new();
    if !alarms.contains(&newest) {
        complaints.push(format!("{id}: {newest} does not take its new code back"));
    }
    // The alias waits for its alarms, and the API for the alias: this could not be deployed.
    let waits = |alarm: &&&str| {
        let metrics = metrics(&template.resource(alarm)["Properties"]);
        let mut dimensions = metrics.into_iter().flat_map(|metric| elements(&metric["Dimensions"]));
        dimensions.any(|dimension| named(&dimension["Value"]) == Some("Api"))
    };
    let waiting = alarms.iter().filter(waits);
    complaints.extend(
        waiting.map(|alarm| format!("{id}: its alarm {alarm} waits for the API, which waits for it")),
    );
    let newest_code = json!([
        { "Name": "FunctionName", "Value": { "Ref": id } },
        { "Name": "Resource", "Value": { "Fn::Sub": format!("${{{id}}}:live") } },
        { "Name": "ExecutedVersion", "Value": { "Fn::GetAtt": format!("{id}.Version.Version") } },
    ]);
    let dimension = |given: &Value| json!({ "Name": given["Name"], "Value": otherwise(&given["Value"]) });
    let dimensions =
        |metric: &Value| -> Value { elements(&metric["Dimensions"]).into_iter().map(dimension).collect() };
    let watched: Vec<&Value> = metrics(&template.resource(newest)["Properties"]);
    if watched.is_empty() || watched.iter().any(|metric| dimensions(metric) != newest_code) {
        complaints.push(format!("{newest}: it does not watch the newest code of {id} alone"));
    }
    complaints
}
