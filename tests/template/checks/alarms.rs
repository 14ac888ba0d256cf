//! What the code calls people for calls them: each alarm of the code watches the metric that the functions write.

use serde_json::{Value, json};

use crate::{
    checks::functions::id,
    code::Code,
    template::{Template, elements, entries},
};

/// The log of all functions.
const LOG: &str = "FunctionsLog";

pub(crate) fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let mut complaints: Vec<_> = code.alarms.iter().flat_map(|line| deaf(template, line)).collect();
    let raised = |found: &str| code.alarms.iter().any(|line| name(line) == found);
    let by_name = |alarm: &Value| {
        elements(&alarm["Properties"]["Dimensions"]).iter().any(|dimension| dimension["Name"] == "alarm")
    };
    let idle =
        template.resources("AWS::CloudWatch::Alarm").filter(|(id, alarm)| by_name(alarm) && !raised(id));
    complaints.extend(idle.map(|(id, _)| format!("{id}: nobody raises it")));
    let log = json!({ "LogGroup": { "Ref": LOG } });
    let elsewhere = template.functions().into_iter().filter(|f| f.properties["LoggingConfig"] != log);
    complaints.extend(elsewhere.map(|function| format!("{}: it does not write to {LOG}", function.id)));
    complaints
}

/// The name in the template of the alarm that a line of the log counts.
fn name(line: &Value) -> String {
    id(line["alarm"].as_str().unwrap())
}

/// How an alarm does not hear a line that counts it.
fn deaf(template: &Template, line: &Value) -> Vec<String> {
    let id = name(line);
    let alarm = template.resource(&id);
    if alarm["Type"] != "AWS::CloudWatch::Alarm" {
        return vec![format!("{id} is no alarm")];
    }
    let written = &line["_aws"]["CloudWatchMetrics"][0];
    let value = |name: &Value| match name.as_str().unwrap() {
        "log_group" => json!({ "Ref": LOG }),
        name => line[name].clone(),
    };
    let dimensions = written["Dimensions"][0].as_array().unwrap();
    let dimensions: Value =
        dimensions.iter().map(|name| json!({ "Name": name, "Value": value(name) })).collect();
    let wanted = json!({
        "Namespace": written["Namespace"], "MetricName": written["Metrics"][0]["Name"], "Dimensions": dimensions,
        "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching",
    });
    let wrong = entries(&wanted).filter(|(property, wanted)| alarm["Properties"][*property] != **wanted);
    wrong.map(|(property, wanted)| format!("{id}: its {property} is not {wanted}")).collect()
}
