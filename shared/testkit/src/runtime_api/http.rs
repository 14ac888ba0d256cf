//! Requests as events and answers of functions as responses, as an HTTP API of API Gateway makes them (payload 2.0).

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hyper::{HeaderMap, Method, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::engines::ACCOUNT;

/// The application types whose bodies are handed on as text, beside all of `text/`.
const TEXTS: [&str; 3] = ["application/json", "application/xml", "application/javascript"];

/// A request as an event.
///
/// The path is decoded, and what stands behind a decoded `?` is lost, as on AWS.
pub fn event_of(method: &Method, path_and_query: &str, headers: &HeaderMap, body: &[u8]) -> Value {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let path = percent_decode_str(path).decode_utf8_lossy();
    let path = path.split('?').next().unwrap_or_default();
    let one = |name| headers.get(name).map_or(Value::Null, |value| text(value).into());
    let others = headers.iter().filter(|(name, _)| *name != header::COOKIE);
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": joined(others.map(|(name, value)| (name.to_string(), text(value)))),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "testkit",
            "domainName": one(header::HOST),
            "http": {
                "method": method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": one(header::USER_AGENT),
            },
            "routeKey": "$default",
            "stage": "$default",
        },
        "isBase64Encoded": false,
    });
    if headers.contains_key(header::COOKIE) {
        let cookies: Vec<_> = headers.get_all(header::COOKIE).iter().map(text).collect();
        event["cookies"] = cookies.iter().flat_map(|cookies| cookies.split("; ")).collect();
    }
    if !query.is_empty() {
        event["queryStringParameters"] = joined(form_urlencoded::parse(query.as_bytes()).into_owned()).into();
    }
    if !body.is_empty() {
        let text = str::from_utf8(body).ok().filter(|_| is_text(headers));
        event["body"] = text.map_or_else(|| BASE64_STANDARD.encode(body), str::to_owned).into();
        event["isBase64Encoded"] = text.is_none().into();
    }
    event
}

/// The answer of a function as a response. What is no answer to a request is a 500, as on AWS.
pub fn answer_of(answer: Value) -> Response<Bytes> {
    if answer.get("statusCode").is_some() {
        return response(&answer).unwrap_or_else(|| message(StatusCode::INTERNAL_SERVER_ERROR));
    }
    // Anything else is taken for the body of a good response.
    let body = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
    json_response(StatusCode::OK, body)
}

/// What API Gateway says itself.
pub(super) fn message(status: StatusCode) -> Response<Bytes> {
    json_response(status, json!({ "message": status.canonical_reason() }).to_string())
}

fn json_response(status: StatusCode, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let media = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}

fn response(answer: &Value) -> Option<Response<Bytes>> {
    let body = match &answer["body"] {
        Value::Null => Bytes::new(),
        Value::String(body) if answer["isBase64Encoded"] == true => BASE64_STANDARD.decode(body).ok()?.into(),
        Value::String(body) => body.clone().into(),
        _ => return None,
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer["statusCode"].as_u64()?.try_into().ok()?).ok()?;
    let headers = response.headers_mut();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        headers.insert(name.parse::<header::HeaderName>().ok()?, value_of(value)?);
    }
    for (name, values) in answer["multiValueHeaders"].as_object().into_iter().flatten() {
        let name: header::HeaderName = name.parse().ok()?;
        headers.remove(&name);
        for value in values.as_array()? {
            headers.append(&name, value_of(value)?);
        }
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        headers.append(header::SET_COOKIE, value_of(cookie)?);
    }
    Some(response)
}

fn value_of(value: &Value) -> Option<header::HeaderValue> {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().ok()
}

/// Repeated names with their values joined by commas.
fn joined(pairs: impl Iterator<Item = (String, String)>) -> Map<String, Value> {
    let mut joined = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in pairs {
        joined.entry(name).or_default().push(value);
    }
    joined.into_iter().map(|(name, values)| (name, values.join(",").into())).collect()
}

fn text(value: &header::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn is_text(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).map(text).unwrap_or_default().to_ascii_lowercase();
    let media = media.split(';').next().unwrap_or_default().trim();
    media.starts_with("text/") || TEXTS.contains(&media)
}

#[cfg(test)]
mod tests;
