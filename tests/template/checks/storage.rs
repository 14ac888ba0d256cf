//! The tables are those that the code makes; tables and buckets are protected.

use serde_json::Value;

use crate::{
    code::Code,
    template::{Template, differs, elements, entries},
};

/// What protects a table.
const TABLE: [(&str, &str); 3] = [
    ("/BillingMode", r#""PAY_PER_REQUEST""#),
    ("/DeletionProtectionEnabled", "true"),
    ("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", "true"),
];

/// What protects a bucket.
const BUCKET: [(&str, &str); 5] = [
    (
        "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm",
        r#""AES256""#,
    ),
    ("/PublicAccessBlockConfiguration/BlockPublicAcls", "true"),
    ("/PublicAccessBlockConfiguration/BlockPublicPolicy", "true"),
    ("/PublicAccessBlockConfiguration/IgnorePublicAcls", "true"),
    ("/PublicAccessBlockConfiguration/RestrictPublicBuckets", "true"),
];

/// What protects the audit's archive too.
const ARCHIVE: [(&str, &str); 3] = [
    ("/ObjectLockEnabled", "true"),
    ("/ObjectLockConfiguration/Rule/DefaultRetention/Days", "400"),
    ("/ObjectLockConfiguration/Rule/DefaultRetention/Mode", r#"{"Ref": "ArchiveLockMode"}"#),
];

pub(crate) fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let tables: Vec<_> = template.resources("AWS::DynamoDB::Table").collect();
    let buckets: Vec<_> = template.resources("AWS::S3::Bucket").collect();
    let unknown = tables.iter().filter(|(id, _)| !code.tables.contains_key(*id));
    let mut complaints: Vec<_> =
        unknown.map(|(id, _)| format!("{id}: the code knows no such table")).collect();
    for (id, made) in &code.tables {
        complaints.extend(different(id, &template.resource(id)["Properties"], made));
    }
    for (id, _) in &tables {
        complaints.extend(unprotected(template, id, &TABLE));
    }
    for (id, _) in &buckets {
        complaints.extend(unprotected(template, id, &BUCKET));
    }
    complaints.extend(unprotected(template, "Archive", &ARCHIVE));
    complaints
}

/// The properties in which a table is not what the code makes.
fn different(id: &str, table: &Value, made: &Value) -> Vec<String> {
    let same = |property: &str, made: &Value| match property {
        // These have no order.
        "AttributeDefinitions" => sorted(&table[property]) == sorted(made),
        "GlobalSecondaryIndexes" if made == &Value::Array(Vec::new()) => table[property].is_null(),
        _ => table[property] == *made,
    };
    let different = entries(made).filter(|(property, made)| !same(property, made));
    different
        .map(|(property, made)| format!("{id}: its {property} is not {made}, as the code has it"))
        .collect()
}

fn sorted(list: &Value) -> Vec<String> {
    let mut sorted: Vec<_> = elements(list).into_iter().map(Value::to_string).collect();
    sorted.sort();
    sorted
}

fn unprotected(template: &Template, id: &str, wanted: &[(&str, &str)]) -> Vec<String> {
    let wanted = wanted.iter().map(|(place, wanted)| (id, *place, *wanted));
    let mut complaints: Vec<_> = wanted.filter_map(|wanted| differs(template, &wanted)).collect();
    for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
        if template.resource(id)[policy] != "Retain" {
            complaints.push(format!("{id}: its {policy} is not Retain"));
        }
    }
    complaints
}
