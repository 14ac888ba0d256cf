//! What is wrong with the network, and with the cache in it.

use super::{Edit, edit};

#[rustfmt::skip]
pub(super) const EDITS: [Edit; 28] = [
    edit("Resolve", "VpcConfig:", "Vpc:",
        &["Resolve: it is not in the network", "ResolveManaged: its Vpc is not that of Resolve",
            "ResolveCapacity: its VpcConfig is not that of Resolve"]),
    edit("Try", "Timeout: 29", "VpcConfig: {SubnetIds: [!Ref SubnetA]}", &["Try: it is in the network"]),
    edit("Routes", "  Routes:", "  Nat: {Type: AWS::EC2::NatGateway}\n  Routes:", &["Nat leads out of the network"]),
    edit("ToBuckets", ".s3", ".sqs",
        &[r#"the endpoints in the network are {("com.amazonaws.${AWS::Region}.dynamodb", "Gateway"), ("com.amazonaws.${AWS::Region}.logs", "Interface"), ("com.amazonaws.${AWS::Region}.sqs", "Gateway")}"#]),
    edit("Propagate", "SubnetIds: !If [NetworkIsOurs, [!Ref SubnetA, !Ref SubnetB], !Ref VpcSubnets]", "SubnetIds: [!Ref SubnetA]",
        &[r#"Propagate: its VpcConfig is not {"SecurityGroupIds":[{"Ref":"FunctionsGroup"}],"SubnetIds":{"Fn::If":["NetworkIsOurs",[{"Ref":"SubnetA"},{"Ref":"SubnetB"}],{"Ref":"VpcSubnets"}]}}"#]),
    edit("Steer", "\n        SecurityGroupIds: [!Ref FunctionsGroup]", "", &[r#"Steer: its VpcConfig is not {"SecurityGroupIds":[{"Ref":"FunctionsGroup"}],"SubnetIds":{"Fn::If":["NetworkIsOurs",[{"Ref":"SubnetA"},{"Ref":"SubnetB"}],{"Ref":"VpcSubnets"}]}}"#]),
    edit("ToTables", "\n      RouteTableIds: [!Ref Routes]", "", &["ToTables: no route leads to it"]),
    edit("RoutesOfSubnetB", "SubnetId: !Ref SubnetB", "SubnetId: !Ref SubnetA",
        &[r#"RoutesOfSubnetB: /SubnetId is not {"Ref":"SubnetB"}"#]),
    edit("FunctionsGroup", "ToPort: 443", "ToPort: 442", &["FunctionsGroup: /SecurityGroupEgress/0/ToPort is not 443"]),

    edit("SubnetB", "Condition: NetworkIsOurs", "Metadata: {}",
        &["SubnetB: it is made for a network that is given too"]),
    edit("FunctionsGroup", "!Ref VpcCidr", "0.0.0.0/0",
        &[r#"FunctionsGroup: /SecurityGroupEgress/1/CidrIp is not {"Fn::If":["NetworkIsOurs",{"Fn::GetAtt":"Network.CidrBlock"},{"Ref":"VpcCidr"}]}"#]),

    edit("CacheUser", "Condition: CacheIsOurs", "Metadata: {}",
        &["CacheUser: it is made beside a cache that is given too"]),
    edit("Cache", "\n      UserGroupId: !Ref CacheUsers", "", &[r#"Cache: /UserGroupId is not {"Ref":"CacheUsers"}"#]),
    edit("Cache", "\n      SecurityGroupIds: [!Ref CacheGroup]", "",
        &[r#"Cache: /SecurityGroupIds is not [{"Ref":"CacheGroup"}]"#]),
    edit("CacheUsers", "[!Ref CacheUser]", "[default]", &[r#"CacheUsers: /UserIds is not [{"Ref":"CacheUser"}]"#]),
    edit("CacheUser", "Type: iam", "Type: no-password-required", &[r#"CacheUser: /AuthenticationMode/Type is not "iam""#]),
    edit("CacheGroup", "SourceSecurityGroupId: !Ref FunctionsGroup", "CidrIp: 0.0.0.0/0",
        &[r#"CacheGroup: /SecurityGroupIngress/0/SourceSecurityGroupId is not {"Ref":"FunctionsGroup"}"#]),

    edit("CacheUser", "~cue:*", "~cuecard:*", &["CacheUser: it may not have our keys"]),
    edit("CacheUser", "~cue:*", "~*", &["CacheUser: it may GET others, which nobody needs"]),
    edit("CacheUser", " on ", " off ", &["CacheUser: it may not come in"]),
    edit("CacheUser", " +@read", "",
        &["CacheUser: it may not get, which our cache asks for", "CacheUser: it may not getrange, which our cache asks for"]),
    edit("CacheUser", " +@write", "", &["CacheUser: it may not set, which our cache asks for"]),
    edit("CacheUser", " +@scripting", "", &["CacheUser: it may not eval, which our cache asks for"]),
    edit("CacheUser", " +@connection", "", &["CacheUser: it may not ping, which our cache asks for"]),
    edit("CacheUser", " +cluster|slots", "", &["CacheUser: it may not cluster, which our cache asks for"]),
    edit("CacheUser", " -@dangerous", "",
        &["CacheUser: it may FLUSHALL, which nobody needs", "CacheUser: it may KEYS *, which nobody needs"]),
    edit("CacheUser", "-@all +@read", "+@all", &["CacheUser: it may PUBLISH news hello, which nobody needs"]),
    edit("CacheUser", "+@read", "+@reading",
        &["CacheUser: its AccessString does not read: ResponseError: Error in ACL SETUSER modifier '+@reading': Unknown command or category name in ACL"]),
];
