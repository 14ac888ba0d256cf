//! Tests of what API Gateway makes of requests and answers.

use aws_lambda_events::event::apigw::ApiGatewayV2httpRequest;

use super::*;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap());
    }
    headers
}

#[test]
fn an_event_says_what_the_request_said() {
    let sent = headers(&[
        ("Host", "cue.example"),
        ("User-Agent", "test/1"),
        ("X-Twice", "a"),
        ("X-Twice", "b"),
        ("Cookie", "one=1; two=2"),
        ("Cookie", "three=3"),
        ("Content-Type", "application/json; charset=utf-8"),
    ]);
    let path = "/api/a%2Fb%20c%C3%A9?tag=x&tag=y%26z&empty=";
    let event = event_of(&Method::PUT, path, &sent, br#"{"a":1}"#);
    assert_eq!(
        event,
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/api/a/b cé",
            "rawQueryString": "tag=x&tag=y%26z&empty=",
            "cookies": ["one=1", "two=2", "three=3"],
            "headers": {
                "content-type": "application/json; charset=utf-8",
                "host": "cue.example",
                "user-agent": "test/1",
                "x-twice": "a,b",
            },
            "queryStringParameters": { "tag": "x,y&z", "empty": "" },
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "testkit",
                "domainName": "cue.example",
                "http": {
                    "method": "PUT",
                    "path": "/api/a/b cé",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "test/1",
                },
                "routeKey": "$default",
                "stage": "$default",
            },
            "body": r#"{"a":1}"#,
            "isBase64Encoded": false,
        })
    );
    let parsed: ApiGatewayV2httpRequest = serde_json::from_value(event).unwrap();
    assert_eq!(parsed.raw_path.as_deref(), Some("/api/a/b cé"));
    assert_eq!(
        (parsed.request_context.http.method, &parsed.headers["x-twice"]),
        (Method::PUT, &"a,b".parse().unwrap())
    );
}

#[test]
fn what_was_not_sent_is_left_out() {
    let event = event_of(&Method::GET, "/", &HeaderMap::new(), b"");
    for absent in ["body", "cookies", "queryStringParameters"] {
        assert_eq!(event.get(absent), None, "{absent}");
    }
    assert_eq!((&event["rawQueryString"], &event["isBase64Encoded"]), (&json!(""), &json!(false)));
    serde_json::from_value::<ApiGatewayV2httpRequest>(event).unwrap();
}

#[test]
fn a_question_mark_in_a_path_hides_what_follows_it() {
    let event = event_of(&Method::GET, "/a%3Fb/c?d=e", &HeaderMap::new(), b"");
    assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!("/a"), &json!("d=e")));
}

#[test]
fn only_some_media_types_are_text() {
    let body = |media: &str, body: &[u8]| {
        let sent = if media.is_empty() { HeaderMap::new() } else { headers(&[("content-type", media)]) };
        let event = event_of(&Method::POST, "/", &sent, body);
        (event["body"].clone(), event["isBase64Encoded"].clone())
    };
    for media in ["text/csv", "application/json", "Application/XML;charset=utf-8", "application/javascript"] {
        assert_eq!(body(media, "é".as_bytes()), (json!("é"), json!(false)), "{media}");
    }
    for media in ["", "application/x-www-form-urlencoded", "application/x-protobuf", "application/jsonl"] {
        assert_eq!(body(media, b"a=b"), (json!("YT1i"), json!(true)), "{media}");
    }
    assert_eq!(body("application/json", &[0xff]), (json!("/w=="), json!(true)));
}

#[test]
fn an_answer_becomes_a_response() {
    let response = answer_of(json!({
        "statusCode": 201,
        "headers": { "Content-Type": "text/plain", "X-Number": 7, "x-both": "one" },
        "multiValueHeaders": { "X-Both": ["a", "b"], "x-more": ["c"] },
        "cookies": ["one=1", "two=2"],
        "body": "aGVsbG8=",
        "isBase64Encoded": true,
    }));
    let all = |name: &str| response.headers().get_all(name).iter().map(text).collect::<Vec<_>>();
    assert_eq!((response.status().as_u16(), response.body().as_ref()), (201, &b"hello"[..]));
    assert_eq!(all("content-type"), ["text/plain"]);
    assert_eq!(
        (all("x-number"), all("x-both"), all("x-more")),
        (vec!["7".to_owned()], vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()])
    );
    assert_eq!(all("set-cookie"), ["one=1", "two=2"]);
    assert_eq!(answer_of(json!({ "statusCode": 204 })).body().as_ref(), b"");
    assert_eq!(answer_of(json!({ "statusCode": 200, "body": "aGVsbG8=" })).body().as_ref(), b"aGVsbG8=");
}

#[test]
fn an_answer_without_a_status_is_the_body_of_a_good_one() {
    for (answer, body) in [(json!({ "a": 1 }), r#"{"a":1}"#), (json!("text"), "text")] {
        let response = answer_of(answer);
        assert_eq!((response.status().as_u16(), response.body().as_ref()), (200, body.as_bytes()));
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}

#[test]
fn what_is_no_answer_is_an_internal_error() {
    let bad = [
        json!({ "statusCode": "soon" }),
        json!({ "statusCode": 99 }),
        json!({ "statusCode": 200, "body": { "a": 1 } }),
        json!({ "statusCode": 200, "body": "*", "isBase64Encoded": true }),
        json!({ "statusCode": 200, "headers": { "a b": "c" } }),
        json!({ "statusCode": 200, "headers": { "a": "b\nc" } }),
        json!({ "statusCode": 200, "multiValueHeaders": { "a": "b" } }),
    ];
    for answer in bad {
        let response = answer_of(answer.clone());
        assert_eq!(response.status().as_u16(), 500, "{answer}");
        assert_eq!(response.body().as_ref(), br#"{"message":"Internal Server Error"}"#);
    }
}
