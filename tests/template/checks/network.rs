//! Who is in the network, and what leads out of it.

use std::collections::BTreeSet;

use crate::{
    code::Code,
    template::{Template, text},
};

/// The functions that need the cache: they are in its network, and talk to nobody but it and the gateway endpoints.
pub(crate) const IN_NETWORK: [&str; 5] = ["Authoring", "Propagate", "Resolve", "Rollback", "Steer"];

/// The services whose endpoints are in the network.
const ENDPOINTS: [&str; 2] = ["com.amazonaws.${AWS::Region}.dynamodb", "com.amazonaws.${AWS::Region}.s3"];

/// What would lead to the internet.
const WAYS_OUT: [&str; 4] = [
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::VPCGatewayAttachment",
];

pub(crate) fn complaints(template: &Template, _: &Code) -> Vec<String> {
    let mut complaints = Vec::new();
    for function in template.functions() {
        let inside = !function.properties["VpcConfig"].is_null();
        match (IN_NETWORK.contains(&function.id.as_str()), inside) {
            (true, false) => complaints.push(format!("{}: it is not in the network", function.id)),
            (false, true) => complaints.push(format!("{}: it is in the network", function.id)),
            _ => {}
        }
    }
    let endpoints = template.resources("AWS::EC2::VPCEndpoint").map(|(_, endpoint)| &endpoint["Properties"]);
    let services: BTreeSet<_> = endpoints
        .map(|endpoint| (text(&endpoint["ServiceName"]), text(&endpoint["VpcEndpointType"])))
        .collect();
    if services != BTreeSet::from(ENDPOINTS.map(|service| (service, "Gateway"))) {
        complaints.push(format!("the endpoints in the network are {services:?}"));
    }
    let ways = WAYS_OUT.iter().flat_map(|kind| template.resources(kind));
    complaints.extend(ways.map(|(id, _)| format!("{id} leads out of the network")));
    complaints
}
