//! What is wrong with the readers of the stream and of the queues.

use super::{Edit, edit};

#[rustfmt::skip]
pub(super) const EDITS: [Edit; 17] = [
    edit("Steer", "Minute:", "More: {Type: DynamoDB, Properties: {Stream: !GetAtt Registry.StreamArn}}\n        Minute:",
        &[r#"the readers of the stream are ["Dispatch", "Propagate", "Steer"], not Dispatch and Propagate"#]),
    edit("Propagate", "Type: DynamoDB", "Type: Kinesis",
        &[r#"the readers of the stream are ["Dispatch"], not Dispatch and Propagate"#]),
    edit("Dispatch", r#"["queued", "running"]"#, r#"["queued"]"#, &["Dispatch: it is not given a run that is Running"]),
    edit("Dispatch", r#"["queued", "running"]"#, r#"["queued", "running", "cancelled"]"#,
        &["Dispatch: it is given a run that is Cancelled, which is not for it"]),
    edit("Propagate", "\n                    \"sk\": {\"S\": [", "\n                    \"sk\": {\"S\": [{\"prefix\": \"META\"}, ",
        &["Propagate: it is given Prompt, which is not for it"]),
    edit("Propagate", "\"NAME", "\"NAMES", &["Propagate: it is not given Name"]),
    edit("Propagate", r#""MODIFY"], "dynamodb": {"Keys": {"pk""#, r#""REMOVE"], "dynamodb": {"Keys": {"pk""#,
        &["Propagate: it is given the removal of ApiKey, which is not for it"]),
    edit("Dispatch", r#"["queued", "running"]"#, r#"[{"suffix": "ed"}]"#,
        &[r#"Dispatch: its filters do not read: only texts and prefixes are known here, not {"suffix":"ed"}"#]),
    edit("Dispatch", "!GetAtt StreamDeadLetters.Arn", "!GetAtt Gone.Arn", &["Dispatch: what it gives up is lost"]),
    edit("Dispatch", "BisectBatchOnFunctionError: true", "BisectBatchOnFunctionError: false",
        &["Dispatch: a batch that fails is not divided"]),
    edit("Propagate", "[ReportBatchItemFailures]", "[]", &["Propagate: it cannot say which record failed"]),
    edit("Propagate", "MaximumRetryAttempts", "Attempts",
        &["Propagate: a record that keeps failing holds up all others"]),

    edit("EvalCases", "VisibilityTimeout: 1080", "VisibilityTimeout: 120",
        &["EvalCases: a message comes again before EvalWorker may have failed"]),
    edit("EvalCases", "RedrivePolicy:", "Redrive:",
        &["EvalCases: what keeps failing has nowhere to go", "EvalDeadLetters: what keeps failing has nowhere to go",
            "EvalCases has no dead-letter queue"]),
    edit("EvalWorker", "!GetAtt EvalDeadLetters.Arn", "!GetAtt EvalCases.Arn",
        &["EvalWorker: it does not read EvalDeadLetters"]),
    edit("EvalDeadLetters", "eval-dlq", "eval-dead-letters",
        &["EvalDeadLetters: EvalWorker knows dead letters by a name that ends in -dlq"]),
    edit("EvalWorker", "Timeout: 180", "Timeout: 60",
        &["EvalWorker: its time-out is not between a model's and the time after which a run is stuck"]),
];
