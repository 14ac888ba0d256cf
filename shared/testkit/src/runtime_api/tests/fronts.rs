//! The front: HTTP requests that functions answer.

use hyper::Method;

use super::*;

async fn get(front: &HttpFront, path: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(format!("{}{path}", front.url())).header("cookie", "a=1; b=2").send().await.unwrap()
}

fn front(scene: &Scene) -> HttpFront {
    let function = scene.function.clone();
    let route = move |method: &Method, path: &str| {
        (method == Method::GET && path.starts_with("/api/")).then(|| function.clone())
    };
    HttpFront::start(route).unwrap()
}

#[tokio::test]
async fn a_request_is_answered_by_its_function() {
    let scene = Scene::new(SLEEPER, 1);
    let (front, process) = (front(&scene), scene.process().await);
    let answer = json!({
        "statusCode": 418,
        "headers": { "etag": "\"1\"", "content-length": "999" },
        "cookies": ["c=3", "d=4"],
        "body": "AAE=",
        "isBase64Encoded": true,
    });
    let (response, event) = join!(get(&front, "/api/a%2Fb?c=d%20e"), process.respond(answer));
    assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!("/api/a/b"), &json!("c=d%20e")));
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert_eq!((response.status().as_u16(), &response.headers()["etag"]), (418, &"\"1\"".parse().unwrap()));
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    assert_eq!(response.bytes().await.unwrap().as_ref(), [0, 1]);
}

#[tokio::test]
async fn a_route_without_a_function_is_not_found_and_a_failure_is_an_internal_error() {
    let scene = Scene::new(SLEEPER, 1);
    let (front, process) = (front(&scene), scene.process().await);
    assert_eq!(get(&front, "/elsewhere").await.status(), 404);
    let failing = async {
        let (id, _) = process.next().await;
        process.post(&id, "error", json!({})).await;
    };
    let (response, ()) = join!(get(&front, "/api/"), failing);
    assert_eq!(response.status(), 500);
    assert_eq!(response.json::<Value>().await.unwrap(), json!({ "message": "Internal Server Error" }));
}
