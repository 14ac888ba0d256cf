//! The routes are the operations of the API, and each goes to the function that has it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    checks::{functions::id, managed::otherwise},
    code::Code,
    template::{Template, differs, entries, named, text},
};

/// How long the gateway waits for an answer, in s.
const PATIENCE: u64 = 30;

/// What the gateway lets through to each route. Settings of a single route would take their place.
const THROTTLES: [&str; 2] = ["ThrottlingRateLimit", "ThrottlingBurstLimit"];

/// What the gateway may log of a request: paths and queries may hold what users wrote.
const LOGGED: [&str; 5] = ["requestId", "routeKey", "status", "responseLatency", "integrationErrorMessage"];

/// Where the API is when it has a domain: there alone.
const DOMAIN: [(&str, &str, &str); 3] = [
    ("Api", "/DisableExecuteApiEndpoint", r#"{"Fn::If":["DomainIsGiven",true,false]}"#),
    ("DomainMapping", "/ApiId", r#"{"Ref":"Api"}"#),
    ("DomainMapping", "/DomainName", r#"{"Ref":"Domain"}"#),
];

/// How the gateway writes that all methods go one way.
const ANY: &str = "x-amazon-apigateway-any-method";

/// The route of what has no other: authoring says what is wrong with it.
const DEFAULT: &str = "/$default";

pub(crate) fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let definition = &template.resource("Api")["Properties"]["DefinitionBody"];
    let routes = routes(template, definition);
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
    complaints.extend(undefaulted(template, definition));
    complaints.extend(unthrottled(template));
    complaints.extend(indiscreet(template));
    complaints.extend(DOMAIN.iter().filter_map(|wanted| differs(template, wanted)));
    complaints.extend(unreachable(template, &operations.into_values().collect()));
    complaints
}

/// The routes as `GET /path`, each with the function that it goes to.
fn routes(template: &Template, definition: &Value) -> BTreeMap<String, String> {
    let mut routes = BTreeMap::new();
    for (path, methods) in entries(&definition["paths"]).filter(|(path, _)| *path != DEFAULT) {
        for (method, operation) in entries(methods) {
            let method = if method == ANY { "ANY".to_owned() } else { method.to_uppercase() };
            routes.insert(format!("{method} {path}"), target(template, definition, operation));
        }
    }
    routes
}

/// The function of an operation's integration, if it is called as it has to be: by its alias, where it has one.
fn target(template: &Template, definition: &Value, operation: &Value) -> String {
    let place = operation["x-amazon-apigateway-integration"]["$ref"].as_str().unwrap_or_default();
    let integration = definition.pointer(place.trim_start_matches('#')).unwrap_or(&Value::Null);
    let called = called(integration).unwrap_or("nobody");
    match called.rsplit_once('.') {
        Some((id, "Alias")) if has_alias(template, id) => id.to_owned(),
        Some((id, "Arn")) if !has_alias(template, id) => id.to_owned(),
        _ => format!("the wrong door of {called}"),
    }
}

/// What an integration names, be it in the address or among the values for it.
fn called(integration: &Value) -> Option<&str> {
    let uri = &integration["uri"]["Fn::Sub"];
    let address = uri.as_str().or(uri[0].as_str())?.strip_suffix("}/invocations")?;
    let (_, name) = address.rsplit_once("/functions/${")?;
    Some(named(otherwise(&uri[1][name])).unwrap_or(name))
}

/// Whether a function has an alias: all others would be given new code before it is known to work.
fn has_alias(template: &Template, id: &str) -> bool {
    !template.resource(id)["Properties"]["AutoPublishAlias"].is_null()
}

fn undefaulted(template: &Template, definition: &Value) -> Option<String> {
    let route = &definition["paths"][DEFAULT][ANY];
    let right = route["isDefaultRoute"] == true && target(template, definition, route) == "Authoring";
    (!right).then(|| "what has no route does not go to Authoring".to_owned())
}

/// What the access log says too much, or that it says nothing.
fn indiscreet(template: &Template) -> Vec<String> {
    let log = &template.resource("Api")["Properties"]["AccessLogSettings"];
    let logged: Vec<_> = text(&log["Format"]).split("$context.").skip(1).collect();
    if logged.is_empty() || log["DestinationArn"] != json!({ "Fn::GetAtt": "ApiLog.Arn" }) {
        return vec!["Api: nobody knows what was asked of it".to_owned()];
    }
    let logged = logged.into_iter().filter_map(|rest| rest.split('"').next());
    let too_much = logged.filter(|name| !LOGGED.contains(name));
    too_much.map(|name| format!("Api: it logs {name}, which may hold what users wrote")).collect()
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
        let door = if has_alias(template, id) { format!("{id}.Alias") } else { id.to_owned() };
        let gateway = json!("apigateway.amazonaws.com");
        permissions().any(|given| {
            named(&given["FunctionName"]) == Some(door.as_str()) && given["Principal"] == gateway
        })
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
