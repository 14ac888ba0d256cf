//! Whatever keeps data is encrypted, with the key that the deployment is given if there is one.

use crate::{
    code::Code,
    template::{Template, differs},
};

/// The key, or nothing where there is none.
const KEY: &str = r#"{"Fn::If":["KeyIsGiven",{"Ref":"KmsKey"},{"Ref":"AWS::NoValue"}]}"#;

/// How each resource of a type is encrypted.
const KINDS: [(&str, &str, &str); 7] = [
    (
        "AWS::DynamoDB::Table",
        "/SSESpecification",
        r#"{"Fn::If":["KeyIsGiven",{"KMSMasterKeyId":{"Ref":"KmsKey"},"SSEEnabled":true,"SSEType":"KMS"},{"Ref":"AWS::NoValue"}]}"#,
    ),
    ("AWS::SQS::Queue", "/SqsManagedSseEnabled", r#"{"Fn::If":["KeyIsGiven",false,true]}"#),
    ("AWS::SQS::Queue", "/KmsMasterKeyId", KEY),
    (
        "AWS::S3::Bucket",
        "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm",
        r#"{"Fn::If":["KeyIsGiven","aws:kms","AES256"]}"#,
    ),
    (
        "AWS::S3::Bucket",
        "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/KMSMasterKeyID",
        KEY,
    ),
    ("AWS::Logs::LogGroup", "/KmsKeyId", KEY),
    ("AWS::ElastiCache::ServerlessCache", "/KmsKeyId", KEY),
];

pub(crate) fn complaints(template: &Template, _: &Code) -> Vec<String> {
    let wrong = KINDS.iter().flat_map(|(kind, place, wanted)| {
        let resources = template.resources(kind);
        resources.filter_map(move |(id, _)| differs(template, &(id, *place, *wanted)))
    });
    wrong.collect()
}
