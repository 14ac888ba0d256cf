//! Who is in the network, and what leads out of it.

use std::collections::BTreeSet;

use e2e::PRIVATE;
use serde_json::json;

use crate::{
    checks::functions::id,
    code::Code,
    template::{Template, differs, text},
};

/// The services whose endpoints are in the network, with their kinds: that of the log is for managed instances.
const ENDPOINTS: [(&str, &str); 3] = [
    ("com.amazonaws.${AWS::Region}.dynamodb", "Gateway"),
    ("com.amazonaws.${AWS::Region}.logs", "Interface"),
    ("com.amazonaws.${AWS::Region}.s3", "Gateway"),
];

/// When there is a network of our own, or something that only some of these need.
const OWN: [&str; 2] = ["NetworkIsOurs", "InstancesAreInOurs"];

/// What would lead to the internet.
const WAYS_OUT: [&str; 4] = [
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::VPCGatewayAttachment",
];

/// What there is of a network of our own, and not in one that is given.
const OURS: [&str; 5] = [
    "AWS::EC2::VPC",
    "AWS::EC2::Subnet",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCEndpoint",
];

/// Both subnets have the routes to the endpoints, and their functions may go there and to the cache.
const WANTED: [(&str, &str, &str); 13] = [
    ("FunctionsGroup", "/VpcId", r#"{"Fn::If":["NetworkIsOurs",{"Ref":"Network"},{"Ref":"VpcId"}]}"#),
    ("RoutesOfSubnetA", "/SubnetId", r#"{"Ref":"SubnetA"}"#),
    ("RoutesOfSubnetA", "/RouteTableId", r#"{"Ref":"Routes"}"#),
    ("RoutesOfSubnetB", "/SubnetId", r#"{"Ref":"SubnetB"}"#),
    ("RoutesOfSubnetB", "/RouteTableId", r#"{"Ref":"Routes"}"#),
    ("FunctionsGroup", "/SecurityGroupEgress/0/FromPort", "443"),
    ("FunctionsGroup", "/SecurityGroupEgress/0/ToPort", "443"),
    ("FunctionsGroup", "/SecurityGroupEgress/0/CidrIp", r#""0.0.0.0/0""#),
    ("FunctionsGroup", "/SecurityGroupEgress/1/FromPort", "6379"),
    ("FunctionsGroup", "/SecurityGroupEgress/1/ToPort", "6379"),
    (
        "FunctionsGroup",
        "/SecurityGroupEgress/1/CidrIp",
        r#"{"Fn::If":["NetworkIsOurs",{"Fn::GetAtt":"Network.CidrBlock"},{"Ref":"VpcCidr"}]}"#,
    ),
    ("FunctionsGroup", "/SecurityGroupEgress/2", "null"),
    ("FunctionsGroup", "/SecurityGroupIngress", "null"),
];

/// Whether a function is in the network: it needs the cache, and talks to nobody but it and the endpoints.
pub(crate) fn is_inside(function: &str) -> bool {
    PRIVATE.iter().any(|package| id(package) == function)
}

pub(crate) fn complaints(template: &Template, _: &Code) -> Vec<String> {
    let place = json!({
        "SecurityGroupIds": [{ "Ref": "FunctionsGroup" }],
        "SubnetIds": {
            "Fn::If": ["NetworkIsOurs", [{ "Ref": "SubnetA" }, { "Ref": "SubnetB" }], { "Ref": "VpcSubnets" }],
        },
    });
    let mut complaints = Vec::new();
    for function in template.functions() {
        let given = &function.properties["VpcConfig"];
        match (is_inside(&function.id), !given.is_null()) {
            (true, false) => complaints.push(format!("{}: it is not in the network", function.id)),
            (false, true) => complaints.push(format!("{}: it is in the network", function.id)),
            (true, true) if *given != place => {
                complaints.push(format!("{}: its VpcConfig is not {place}", function.id));
            }
            _ => {}
        }
    }
    complaints.extend(dead_ends(template));
    let ours = OURS.iter().flat_map(|kind| template.resources(kind));
    let always = ours.filter(|(_, resource)| !OWN.contains(&text(&resource["Condition"])));
    complaints.extend(always.map(|(id, _)| format!("{id}: it is made for a network that is given too")));
    complaints.extend(WANTED.iter().filter_map(|wanted| differs(template, wanted)));
    let ways = WAYS_OUT.iter().flat_map(|kind| template.resources(kind));
    complaints.extend(ways.map(|(id, _)| format!("{id} leads out of the network")));
    complaints
}

/// Endpoints that are missing, and those that nothing leads to.
fn dead_ends(template: &Template) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut services = BTreeSet::new();
    for (id, endpoint) in template.resources("AWS::EC2::VPCEndpoint") {
        let endpoint = &endpoint["Properties"];
        let kind = text(&endpoint["VpcEndpointType"]);
        services.insert((text(&endpoint["ServiceName"]), kind));
        if kind == "Gateway" && endpoint["RouteTableIds"] != json!([{ "Ref": "Routes" }]) {
            complaints.push(format!("{id}: no route leads to it"));
        }
    }
    if services != BTreeSet::from(ENDPOINTS) {
        complaints.push(format!("the endpoints in the network are {services:?}"));
    }
    complaints
}
