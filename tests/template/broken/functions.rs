//! What is wrong with functions, their variables, their routes, their rights and their place.

use super::{Edit, edit};

#[rustfmt::skip]
pub(super) const EDITS: [Edit; 24] = [
    edit("Try", "AWS::Serverless::Function", "AWS::Serverless::SimpleTable",
        &["no function is called Try, for functions/try"]),
    edit("FunctionsLog", "  FunctionsLog:", "  Ghost: {Type: AWS::Serverless::Function}\n  FunctionsLog:",
        &["Ghost has no package in functions/"]),
    edit("Resolve", "arm64/resolve", "arm64/resolver",
        &[r#"Resolve: its CodeUri is not "target/lambda-arm64/resolve""#]),
    edit("Try", "Timeout: 29", "Handler: main", &[r#"Try: its Handler is not "bootstrap""#]),
    edit("Try", "Timeout: 29", "Architectures: [x86_64]", &[r#"Try: its Architectures is not ["arm64"]"#]),
    edit("Steer", "rate(1 minute)", "rate(1 hour)", &["Steer: it is not called every minute"]),

    edit("Dispatch", "CUECARD_EVAL_QUEUE_URL", "EVAL_QUEUE_URL",
        &["Dispatch: it is not told CUECARD_EVAL_QUEUE_URL"]),
    edit("Dispatch", "CUECARD_EVAL_QUEUE_URL", "CUECARD_QUEUE",
        &["Dispatch: it is not told CUECARD_EVAL_QUEUE_URL", "Dispatch: nobody knows a variable CUECARD_QUEUE"]),
    edit("Try", "Timeout: 29", "Environment: {Variables: {CUECARD_CACHE_CLUSTER: 'true'}}",
        &["Try: it is told CUECARD_CACHE_CLUSTER, which it does not need"]),
    edit("Resolve", "CUECARD_CACHE_NAME: !Ref Cache", "CUECARD_LOG: debug",
        &["Resolve: it is not told CUECARD_CACHE_NAME"]),
    edit("Propagate", "CUECARD_ARCHIVE_BUCKET: !Ref Archive", "CUECARD_ARCHIVE_BUCKET: !Ref TestSets",
        &[r#"Propagate: CUECARD_ARCHIVE_BUCKET is not {"Ref":"Archive"}"#]),

    edit("Api", "/api/try:", "/api/tries:",
        &["POST /api/tries goes to Try, and nobody answers it", "POST /api/try goes to nobody, and Try answers it"]),
    edit("Api", "post: {x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/try'}}",
        "post: {x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/resolve'}}",
        &["POST /api/try goes to Resolve, and Try answers it"]),
    edit("Api", "isDefaultRoute: true", "isDefaultRoute: false", &["what has no route does not go to Authoring"]),
    edit("ApiCallsTry", "!Ref Try", "!Ref Resolve", &["Try: the gateway may not call it"]),
    edit("Authoring", "Timeout: 29", "Timeout: 30", &["Authoring: the gateway does not wait until its time-out"]),

    edit("Resolve", "VpcConfig:", "Vpc:", &["Resolve: it is not in the network"]),
    edit("Try", "Timeout: 29", "VpcConfig: {SubnetIds: [!Ref SubnetA]}", &["Try: it is in the network"]),
    edit("Routes", "  Routes:", "  Nat: {Type: AWS::EC2::NatGateway}\n  Routes:", &["Nat leads out of the network"]),
    edit("ToBuckets", ".s3", ".sqs",
        &[r#"the endpoints in the network are {("com.amazonaws.${AWS::Region}.dynamodb", "Gateway"), ("com.amazonaws.${AWS::Region}.sqs", "Gateway")}"#]),

    edit("WriteRegistry", "dynamodb:UpdateItem", "dynamodb:*", &["WriteRegistry: dynamodb:* is too wide"]),
    edit("SendCases", "!GetAtt EvalCases.Arn", "'*'", &["SendCases: * is too wide"]),
    edit("Propagate", "!Ref WriteArchive", "!Ref ReadTestSets", &["WriteArchive: nobody has it"]),
    edit("Try", "!Ref NoteUse", "AmazonDynamoDBFullAccess",
        &[r#"Try: "AmazonDynamoDBFullAccess" is no policy of this template"#]),
];
