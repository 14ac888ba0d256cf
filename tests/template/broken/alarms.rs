//! What is wrong with alarms.

use super::{Edit, edit};

#[rustfmt::skip]
pub(super) const EDITS: [Edit; 6] = [
    edit("VersionDrifted", "  VersionDrifted:", "  Drifted:",
        &["VersionDrifted is no alarm", "Drifted: nobody raises it"]),
    edit("VersionDrifted", "Value: version-drifted", "Value: drifted",
        &[r#"VersionDrifted: its Dimensions is not [{"Name":"alarm","Value":"version-drifted"},{"Name":"log_group","Value":{"Ref":"FunctionsLog"}}]"#]),
    edit("UnverifiedRollback", "MetricName: alarms", "MetricName: errors",
        &[r#"UnverifiedRollback: its MetricName is not "alarms""#]),
    edit("UnverifiedRollback", "Threshold: 1", "Threshold: 2", &["UnverifiedRollback: its Threshold is not 1"]),
    edit("UnverifiedRollback", "[!Ref AlarmTopic]", "[]",
        &[r#"UnverifiedRollback: its AlarmActions is not {"Fn::If":["AlarmsAreTold",[{"Ref":"AlarmTopic"}],{"Ref":"AWS::NoValue"}]}"#]),
    edit("Steer", "Timeout: 60", "Timeout: 60\n      LoggingConfig: {LogGroup: !Ref ApiLog}",
        &["Steer: it does not write to FunctionsLog"]),
];
