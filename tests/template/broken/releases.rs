//! What is wrong with how new code takes over.

use super::{Edit, edit};

#[rustfmt::skip]
pub(super) const EDITS: [Edit; 10] = [
    edit("Rollback", "AutoPublishAlias: live", "AutoPublishAlias: new", &[r#"Rollback: /AutoPublishAlias is not "live""#]),
    edit("Authoring", "AutoPublishAliasAllProperties: true", "AutoPublishAliasAllProperties: false",
        &["Authoring: /AutoPublishAliasAllProperties is not true"]),
    edit("Resolve", "Type: !Ref Release\n", "Type: AllAtOnce\n",
        &[r#"Resolve: /DeploymentPreference/Type is not {"Ref":"Release"}"#,
            "ResolveManaged: its DeploymentPreference is not that of Resolve"]),
    edit("Resolve", "!Ref ResolveNewVersion, ", "",
        &["Resolve: ResolveNewVersion does not take its new code back",
            "ResolveManaged: its DeploymentPreference is not that of Resolve"]),
    edit("Resolve", "!Ref ResolveFailing", "!Ref ApiFailing",
        &["Resolve: its alarm ApiFailing waits for the API, which waits for it",
            "ResolveManaged: its DeploymentPreference is not that of Resolve"]),
    edit("RollbackNewVersion", "MetricName: Errors,\n            Dimensions: [\n              {Name: FunctionName, Value: !Ref Rollback}",
        "MetricName: Errors,\n            Dimensions: [\n              {Name: FunctionName, Value: !Ref Authoring}",
        &["RollbackNewVersion: it does not watch the newest code of Rollback alone"]),
    edit("Resolve", "!If [ResolveIsWarm, {ProvisionedConcurrentExecutions: !Ref ResolveWarm}, !Ref AWS::NoValue]",
        "{ProvisionedConcurrentExecutions: 1}",
        &[r#"Resolve: /ProvisionedConcurrencyConfig is not {"Fn::If":["ResolveIsWarm",{"ProvisionedConcurrentExecutions":{"Ref":"ResolveWarm"}},{"Ref":"AWS::NoValue"}]}"#]),
    edit("ResolveWarmth", "${Resolve}:live", "${Resolve}:new",
        &[r#"ResolveWarmth: /ResourceId is not {"Fn::Sub":"function:${Resolve}:live"}"#]),

    edit("ApiCallsResolve", "!Ref Resolve.Alias", "!Ref Resolve",
        &["Resolve: the gateway may not call it",
            "ApiCallsResolveManaged: its Properties are not those of ApiCallsResolve"]),
    edit("Api", "!Ref Resolve.Alias", "!GetAtt Resolve.Arn",
        &["GET /api/resolve goes to the wrong door of Resolve, and Resolve answers it",
            "GET /api/resolve/{prompt} goes to the wrong door of Resolve, and Resolve answers it",
            "GET /api/resolve:snapshot goes to the wrong door of Resolve, and Resolve answers it",
            "POST /api/resolve goes to the wrong door of Resolve, and Resolve answers it",
            "POST /api/resolve/{prompt} goes to the wrong door of Resolve, and Resolve answers it",
            "POST /api/resolve:batch goes to the wrong door of Resolve, and Resolve answers it",
            "POST /ofrep/v1/evaluate/flags goes to the wrong door of Resolve, and Resolve answers it",
            "POST /ofrep/v1/evaluate/flags/{key+} goes to the wrong door of Resolve, and Resolve answers it",
            "Api: it does not ask for the one that is called"]),
];
