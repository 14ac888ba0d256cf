//! The routes are the operations of the API, and each goes to the function that has it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    checks::functions::id,
    code::Code,
    template::{Template, entries, named, text},
};

/// How long the gateway waits for an answer, in s.
const PATIENCE: u64 = 30;

/// What the gateway lets through to each route. Settings of a single route would take their place.
const THROTTLES: [&str; 2] = ["ThrottlingRateLimit", "ThrottlingBurstLimit"];

/// How the gateway writes that all methods go one way.
const ANY: &str = "x-amazon-apigateway-any-method";

/// The route of what has no other: authoring says what is wrong with it.
const DEFAULT: &str = "/$default";

pub(crate) fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let definition = &template.resource("Api")["Properties"]["DefinitionBody"];
    let routes = routes(definition);
    let operations: BTreeMap<_, _> =
        code.operations.iter().map(|(route, package)| (route.clone(), id(package))).collect();
    let all: BTreeSet<_> = routes.keys().chain(operations.keys()).collect();
    let nobody = "nobody".to_owned();
    let mut complaints = Vec::new();
    for route in all {
        let goes = routes.get(route).unwrap_or(&nobody);
        let should = operations.get(route).unwrap_or(&nobody);
        if goes != should {
            complaints.push(format!("{route} goes to {goes}, and {should} answers it"));
        }
    }
    complaints.extend(undefaulted(definition));
    complaints.extend(unthrottled(template));
    complaints.extend(unreachable(template, &operations.into_values().collect()));
    complaints
}

/// The routes as `GET /path`, each with the function that it goes to.
fn routes(definition: &Value) -> BTreeMap<String, String> {
    let mut routes = BTreeMap::new();
    for (path, methods) in entries(&definition["paths"]).filter(|(path, _)| *path != DEFAULT) {
        for (method, operation) in entries(methods) {
            let method = if method == ANY { "ANY".to_owned() } else { method.to_uppercase() };
            routes.insert(format!("{method} {path}"), target(definition, operation));
        }
    }
    routes
}

/// The function of an operation's integration.
fn target(definition: &Value, operation: &Value) -> String {
    let place = operation["x-amazon-apigateway-integration"]["$ref"].as_str().unwrap_or_default();
    let integration = definition.pointer(place.trim_start_matches('#')).unwrap_or(&Value::Null);
    let function = text(&integration["uri"]).strip_suffix(".Arn}/invocations");
    let function = function.and_then(|uri| Some(uri.rsplit_once("/functions/${")?.1));
    function.unwrap_or("nobody").to_owned()
}

fn undefaulted(definition: &Value) -> Option<String> {
    let route = &definition["paths"][DEFAULT][ANY];
    let right = route["isDefaultRoute"] == true && target(definition, route) == "Authoring";
    (!right).then(|| "what has no route does not go to Authoring".to_owned())
}

/// What would let one caller take all of resolve. Each limit is a parameter, for an account to which AWS allows more.
fn unthrottled(template: &Template) -> Vec<String> {
    let api = &template.resource("Api")["Properties"];
    let limit = |throttle: &str| {
        let parameter = template.parameter(named(&api["DefaultRouteSettings"][throttle])?);
        parameter["Default"].as_u64().filter(|limit| *limit > 0 && parameter["MinValue"] == 1)
    };
    let missing = THROTTLES.iter().filter(|throttle| limit(throttle).is_none());
    let mut complaints: Vec<_> = missing.map(|throttle| format!("Api: routes have no {throttle}")).collect();
    if !api["RouteSettings"].is_null() {
        complaints.push("Api: a route has settings of its own".to_owned());
    }
    complaints
}

/// A function that the gateway may not call, or does not wait for.
fn unreachable(template: &Template, ids: &BTreeSet<String>) -> Vec<String> {
    let permissions =
        || template.resources("AWS::Lambda::Permission").map(|(_, resource)| &resource["Properties"]);
    let may = |id: &str| {
        let gateway = json!("apigateway.amazonaws.com");
        permissions().any(|given| named(&given["FunctionName"]) == Some(id) && given["Principal"] == gateway)
    };
    let mut complaints = Vec::new();
    for function in template.functions().iter().filter(|function| ids.contains(&function.id)) {
        let id = &function.id;
        if !may(id) {
            complaints.push(format!("{id}: the gateway may not call it"));
        }
        if function.timeout() >= PATIENCE {
            complaints.push(format!("{id}: the gateway does not wait until its time-out"));
        }
    }
    complaints
}
