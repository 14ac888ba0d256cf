//! The cache lets the functions in, as the one user that it has, who may do what our code does and little more.

use crate::{
    code::Code,
    template::{Template, differs, text},
};

/// Where the cache is, and who may come in. IAM knows a user only whose id is their name.
const WANTED: [(&str, &str, &str); 12] = [
    ("Cache", "/Engine", r#""valkey""#),
    (
        "Cache",
        "/SubnetIds",
        r#"{"Fn::If":["NetworkIsOurs",[{"Ref":"SubnetA"},{"Ref":"SubnetB"}],{"Ref":"VpcSubnets"}]}"#,
    ),
    ("Cache", "/SecurityGroupIds", r#"[{"Ref":"CacheGroup"}]"#),
    ("Cache", "/UserGroupId", r#"{"Ref":"CacheUsers"}"#),
    ("CacheUsers", "/UserIds", r#"[{"Ref":"CacheUser"}]"#),
    ("CacheUser", "/UserId", r#"{"Fn::Sub":"cuecard-${Stage}"}"#),
    ("CacheUser", "/UserName", r#"{"Fn::Sub":"cuecard-${Stage}"}"#),
    ("CacheUser", "/AuthenticationMode/Type", r#""iam""#),
    ("CacheGroup", "/SecurityGroupIngress/0/FromPort", "6379"),
    ("CacheGroup", "/SecurityGroupIngress/0/ToPort", "6379"),
    ("CacheGroup", "/SecurityGroupIngress/0/SourceSecurityGroupId", r#"{"Ref":"FunctionsGroup"}"#),
    ("CacheGroup", "/SecurityGroupIngress/1", "null"),
];

/// What there is of a cache of our own, and not of one that is given.
const OURS: [&str; 4] = ["Cache", "CacheUsers", "CacheUser", "CacheGroup"];

pub(crate) async fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let mut complaints: Vec<_> = WANTED.iter().filter_map(|wanted| differs(template, wanted)).collect();
    let always = OURS.into_iter().filter(|id| template.resource(id)["Condition"] != "CacheIsOurs");
    complaints.extend(always.map(|id| format!("{id}: it is made beside a cache that is given too")));
    let access = text(&template.resource("CacheUser")["Properties"]["AccessString"]);
    let wrong = code.cached.wrong_with(access).await;
    complaints.extend(wrong.into_iter().map(|wrong| format!("CacheUser: {wrong}")));
    complaints
}
