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
const BUCKET: [(&str, &str); 4] = [
    ("/PublicAccessBlockConfiguration/BlockPublicAcls", "true"),
    ("/PublicAccessBlockConfiguration/BlockPublicPolicy", "true"),
    ("/PublicAccessBlockConfiguration/IgnorePublicAcls", "true"),
    ("/PublicAccessBlockConfiguration/RestrictPublicBuckets", "true"),
];

/// What is refused at each bucket's door.
const REFUSED: [(&str, &str); 4] = [
    ("/PolicyDocument/Statement/0/Effect", r#""Deny""#),
    ("/PolicyDocument/Statement/0/Principal", r#""*""#),
    ("/PolicyDocument/Statement/0/Action", r#""s3:*""#),
    ("/PolicyDocument/Statement/0/Condition", r#"{"Bool":{"aws:SecureTransport":"false"}}"#),
];

/// Who invoked rollback is written down, be it by name or by alias.
const TRAIL: [(&str, &str, &str); 4] = [
    ("RollbackCalls", "/IsLogging", "true"),
    ("RollbackCalls", "/EnableLogFileValidation", "true"),
    ("RollbackCalls", "/S3BucketName", r#"{"Ref":"Trails"}"#),
    (
        "RollbackCalls",
        "/AdvancedEventSelectors/0/FieldSelectors/2",
        r#"{"Field":"resources.ARN","StartsWith":[{"Fn::GetAtt":"Rollback.Arn"}]}"#,
    ),
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
        complaints.extend(open(template, id));
    }
    complaints.extend(unprotected(template, "Archive", &ARCHIVE));
    let expires = |rule: &&Value| !rule["ExpirationInDays"].is_null() || !rule["ExpirationDate"].is_null();
    if rules(template, "Archive").iter().any(expires) {
        complaints.push("Archive: the audit expires".to_owned());
    }
    complaints.extend(TRAIL.iter().filter_map(|wanted| differs(template, wanted)));
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

/// How others could listen at a bucket, and what would stay in it unseen.
fn open(template: &Template, id: &str) -> Vec<String> {
    let policy = format!("{id}Policy");
    let both = format!(r#"[{{"Fn::GetAtt":"{id}.Arn"}},{{"Fn::Sub":"${{{id}.Arn}}/*"}}]"#);
    let own = format!(r#"{{"Ref":"{id}"}}"#);
    let of_it = [("/Bucket", own.as_str()), ("/PolicyDocument/Statement/0/Resource", both.as_str())];
    let wanted = REFUSED.into_iter().chain(of_it).map(|(place, wanted)| (policy.as_str(), place, wanted));
    let mut complaints: Vec<_> = wanted.filter_map(|wanted| differs(template, &wanted)).collect();
    let ends = |rule: &&Value| rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1;
    if !rules(template, id).iter().any(ends) {
        complaints.push(format!("{id}: uploads that nobody ends stay for ever"));
    }
    complaints
}

fn rules<'t>(template: &'t Template, id: &str) -> Vec<&'t Value> {
    elements(&template.resource(id)["Properties"]["LifecycleConfiguration"]["Rules"])
}
