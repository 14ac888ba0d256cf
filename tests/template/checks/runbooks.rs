//! Whoever is called knows what to do: each alarm tells people, and names the runbook that is there for it.

use regex::Regex;
use serde_json::{Value, json};

use crate::{
    checks::functions::id,
    code::Code,
    template::{Template, text},
    written::RUNBOOKS,
};

/// What a runbook answers, in this order.
const QUESTIONS: [&str; 5] = ["## What it means", "## Look", "## Do", "## Do not", "## It is over when"];

pub(crate) fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let alarms: Vec<_> = template.resources("AWS::CloudWatch::Alarm").collect();
    let mut complaints: Vec<_> =
        alarms.iter().flat_map(|(id, alarm)| untold(id, &alarm["Properties"], code)).collect();
    for (name, runbook) in &code.runbooks {
        if !alarms.iter().any(|(alarm, _)| *alarm == id(name)) {
            complaints.push(format!("{RUNBOOKS}/{name}.md is for no alarm"));
        }
        complaints.extend(incomplete(name, runbook));
        complaints.extend(lost(template, name, runbook));
    }
    complaints
}

/// How an alarm does not reach people, or leaves them alone.
fn untold(id: &str, alarm: &Value, code: &Code) -> Vec<String> {
    let name = name(id);
    let path = format!("{RUNBOOKS}/{name}.md");
    let called = json!({ "Fn::Sub": format!("cuecard-${{Stage}}-{name}") });
    let told = json!({ "Fn::If": ["AlarmsAreTold", [{ "Ref": "AlarmTopic" }], { "Ref": "AWS::NoValue" }] });
    let wanted = [
        (alarm["AlarmActions"] == told, format!("{id}: it does not tell AlarmTopic")),
        (alarm["AlarmName"] == called, format!("{id}: its name does not end in -{name}")),
        (
            text(&alarm["AlarmDescription"]).ends_with(&format!(" See {path}.")),
            format!("{id}: its description does not name {path}"),
        ),
        (code.runbooks.contains_key(&name), format!("{id}: there is no {path}")),
    ];
    wanted.into_iter().filter(|(holds, _)| !holds).map(|(_, wrong)| wrong).collect()
}

/// The name of an alarm's runbook: `a-name` for `AName`.
fn name(id: &str) -> String {
    let capitals = Regex::new("(.)([A-Z])").unwrap();
    capitals.replace_all(id, "$1-$2").to_lowercase()
}

fn incomplete(name: &str, runbook: &str) -> Option<String> {
    let headings: Vec<_> = runbook.lines().filter(|line| line.starts_with('#')).collect();
    let complete = headings
        .split_first()
        .is_some_and(|(title, questions)| *title == format!("# {name}") && questions == QUESTIONS);
    (!complete).then(|| format!("{RUNBOOKS}/{name}.md: it does not answer {QUESTIONS:?}"))
}

/// What a runbook asks AWS for by names of the template, and the template has not.
fn lost(template: &Template, name: &str, runbook: &str) -> Vec<String> {
    let of = Regex::new(r"\$\(of (\w+)\)").unwrap();
    let asked = of.captures_iter(runbook).map(|found| found[1].to_owned());
    let missing = asked.filter(|id| template.resource(id).is_null());
    missing.map(|id| format!("{RUNBOOKS}/{name}.md: there is no {id}")).collect()
}

mod a_violation_is_found {
    use super::*;

    #[test]
    fn in_runbooks() {
        let whole = format!("# a\n\n{}\n", QUESTIONS.join("\n\nText.\n\n"));
        assert_eq!(incomplete("a", &whole), None);
        for broken in [whole.replace("# a\n", "# b\n"), whole.replace("## Look\n", "Look\n"), String::new()] {
            assert!(incomplete("a", &broken).is_some(), "{broken}");
        }
    }

    #[test]
    fn in_what_they_ask_for() {
        let template = Template::parse("Resources: {Queue: {Type: A}}");
        assert_eq!(lost(&template, "a", "see $(of Queue)"), [""; 0]);
        assert_eq!(lost(&template, "a", "see $(of Cue)"), ["docs/runbooks/a.md: there is no Cue"]);
    }
}
