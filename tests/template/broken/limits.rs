//! What is wrong with limits, keys, and what the gateway says.

use super::{Edit, edit};

#[rustfmt::skip]
pub(super) const EDITS: [Edit; 13] = [
    edit("Try", "ReservedConcurrentExecutions", "ReservedExecutions",
        &["Try: nothing limits how many of its calls are made at once"]),
    edit("Console", "[ConcurrencyIsReserved, 50,", "[ConcurrencyIsReserved, 0,",
        &["Console: nothing limits how many of its calls are made at once"]),
    edit("Authoring", "[ConcurrencyIsReserved, 150,", "[ConcurrencyIsReserved, 250,",
        &["Resolve: others may have 562 of 1000 calls at once"]),
    edit("EvalWorker", "ScalingConfig: {MaximumConcurrency: 5}", "ScalingConfig: {}",
        &["EvalWorker: nothing limits how much of EvalDeadLetters it reads at once"]),
    edit("Resolve", "!If [ResolveIsReserved, !Ref ResolveConcurrency, !Ref AWS::NoValue]", "10",
        &[r#"Resolve: /ReservedConcurrentExecutions is not {"Fn::If":["ResolveIsReserved",{"Ref":"ResolveConcurrency"},{"Ref":"AWS::NoValue"}]}"#]),
    edit("Steer", "{MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60}", "{MaximumRetryAttempts: 2}",
        &["Steer: /EventInvokeConfig/MaximumRetryAttempts is not 0"]),
    edit("Steer", ", RetryPolicy: {MaximumRetryAttempts: 0}", "",
        &["Steer: /Events/Minute/Properties/RetryPolicy/MaximumRetryAttempts is not 0"]),

    edit("Telemetry", "KMSMasterKeyId: !Ref KmsKey", "KMSMasterKeyId: alias/aws/dynamodb",
        &[r#"Telemetry: /SSESpecification is not {"Fn::If":["KeyIsGiven",{"KMSMasterKeyId":{"Ref":"KmsKey"},"SSEEnabled":true,"SSEType":"KMS"},{"Ref":"AWS::NoValue"}]}"#]),
    edit("Metrics", "SqsManagedSseEnabled: !If [KeyIsGiven, false, true]", "SqsManagedSseEnabled: false",
        &[r#"Metrics: /SqsManagedSseEnabled is not {"Fn::If":["KeyIsGiven",false,true]}"#]),
    edit("ApiLog", ", KmsKeyId: !If [KeyIsGiven, !Ref KmsKey, !Ref AWS::NoValue]", "",
        &[r#"ApiLog: /KmsKeyId is not {"Fn::If":["KeyIsGiven",{"Ref":"KmsKey"},{"Ref":"AWS::NoValue"}]}"#]),

    edit("Api", "$context.integrationErrorMessage", "$context.path",
        &["Api: it logs path, which may hold what users wrote"]),
    edit("Api", "!GetAtt ApiLog.Arn", "!GetAtt FunctionsLog.Arn", &["Api: nobody knows what was asked of it"]),
    edit("Api", "!If [DomainIsGiven, true, false]", "false",
        &[r#"Api: /DisableExecuteApiEndpoint is not {"Fn::If":["DomainIsGiven",true,false]}"#]),
];
