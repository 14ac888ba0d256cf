//! What is wrong with tables and buckets.

use super::{Edit, edit};

#[rustfmt::skip]
pub(super) const EDITS: [Edit; 16] = [
    edit("Telemetry", "\n        - {AttributeName: sk, KeyType: RANGE}", "",
        &[r#"Telemetry: its KeySchema is not [{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}], as the code has it"#]),
    edit("Telemetry", "AttributeName: sk, AttributeType: S", "AttributeName: sk, AttributeType: N",
        &[r#"Telemetry: its AttributeDefinitions is not [{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}], as the code has it"#]),
    edit("Registry", "ProjectionType: ALL", "ProjectionType: KEYS_ONLY",
        &[r#"Registry: its GlobalSecondaryIndexes is not [{"IndexName":"gsi1","KeySchema":[{"AttributeName":"gsi1pk","KeyType":"HASH"},{"AttributeName":"gsi1sk","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}], as the code has it"#]),
    edit("Registry", "NEW_AND_OLD_IMAGES", "KEYS_ONLY",
        &[r#"Registry: its StreamSpecification is not {"StreamViewType":"NEW_AND_OLD_IMAGES"}, as the code has it"#]),
    edit("Registry", "gone_at", "expires_at",
        &[r#"Registry: its TimeToLiveSpecification is not {"AttributeName":"gone_at","Enabled":true}, as the code has it"#]),
    edit("Telemetry", "gone_at, Enabled: true", "gone_at, Enabled: false",
        &[r#"Telemetry: its TimeToLiveSpecification is not {"AttributeName":"gone_at","Enabled":true}, as the code has it"#]),
    edit("Telemetry", "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false",
        &["Telemetry: /PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled is not true"]),
    edit("Registry", "\n    DeletionPolicy: Retain", "", &["Registry: its DeletionPolicy is not Retain"]),
    edit("TestSets", "BlockPublicPolicy: true", "BlockPublicPolicy: false",
        &["TestSets: /PublicAccessBlockConfiguration/BlockPublicPolicy is not true"]),
    edit("Archive", ", Days: 400", ", Days: 40", &["Archive: /ObjectLockConfiguration/Rule/DefaultRetention/Days is not 400"]),
    edit("Archive", "'aws:kms', AES256", "'aws:kms', none",
        &[r#"Archive: /BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm is not {"Fn::If":["KeyIsGiven","aws:kms","AES256"]}"#]),
    edit("Archive", "{Id: former, Status: Enabled, ", "{Id: former, Status: Enabled, ExpirationInDays: 400, ",
        &["Archive: the audit expires"]),
    edit("TestSets", "AbortIncompleteMultipartUpload", "AbortUpload", &["TestSets: uploads that nobody ends stay for ever"]),
    edit("ArchivePolicy", "aws:SecureTransport", "aws:ViaAWSService",
        &[r#"ArchivePolicy: /PolicyDocument/Statement/0/Condition is not {"Bool":{"aws:SecureTransport":"false"}}"#]),
    edit("TestSetsPolicy", ", !Sub '${TestSets.Arn}/*'", "",
        &[r#"TestSetsPolicy: /PolicyDocument/Statement/0/Resource is not [{"Fn::GetAtt":"TestSets.Arn"},{"Fn::Sub":"${TestSets.Arn}/*"}]"#]),
    edit("RollbackCalls", "!GetAtt Rollback.Arn", "!GetAtt Authoring.Arn",
        &[r#"RollbackCalls: /AdvancedEventSelectors/0/FieldSelectors/2 is not {"Field":"resources.ARN","StartsWith":[{"Fn::GetAtt":"Rollback.Arn"}]}"#]),
];
