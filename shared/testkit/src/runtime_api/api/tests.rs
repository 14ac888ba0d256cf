//! Tests of the Runtime API, with an HTTP client in the place of a process.

use reqwest::{Client, StatusCode as Status};
use serde_json::{Value, json};

use super::*;

/// What a process does.
struct Caller {
    client: Client,
    url: String,
}

impl Caller {
    fn new(api: &RuntimeApi) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        Self { client, url: format!("http://{}{VERSION}", api.address()) }
    }

    async fn next(&self) -> reqwest::Response {
        self.client.get(format!("{}invocation/next", self.url)).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Status {
        self.client.post(format!("{}{path}", self.url)).json(body).send().await.unwrap().status()
    }
}

fn event(id: &str) -> Event {
    Event { id: id.to_owned(), payload: r#"{"a":1}"#.into(), deadline: 1_795_158_000_000 }
}

#[tokio::test]
async fn an_event_arrives_with_its_headers_and_is_answered() {
    let api = RuntimeApi::start("resolve").unwrap();
    let caller = Caller::new(&api);
    let process = async {
        let event = caller.next().await;
        let header = |name: &str| event.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("lambda-runtime-aws-request-id"), "0199-a1");
        assert_eq!(header("lambda-runtime-deadline-ms"), "1795158000000");
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:resolve";
        assert_eq!(header("lambda-runtime-invoked-function-arn"), arn);
        let trace = "Root=1-00000000-0000000000000000000199a1;Parent=00000000000199a1;Sampled=1";
        assert_eq!(header("lambda-runtime-trace-id"), trace);
        assert_eq!(event.json::<Value>().await.unwrap(), json!({ "a": 1 }));
        caller.post("invocation/0199-a1/response", &json!({ "b": 2 })).await
    };
    let lambda = async {
        let answered = api.answer_to("0199-a1");
        api.asked().await.unwrap().send(event("0199-a1")).unwrap();
        answered.await.unwrap()
    };
    let (status, outcome) = tokio::join!(process, lambda);
    assert_eq!((status, outcome), (Status::ACCEPTED, Ok(json!({ "b": 2 }))));
}

#[tokio::test]
async fn an_error_is_reported_and_an_answer_that_nobody_waits_for_is_refused() {
    let api = RuntimeApi::start("resolve").unwrap();
    let caller = Caller::new(&api);
    let body = json!({ "errorType": "Refused", "errorMessage": "not today" });
    let process = async {
        let early = caller.post("invocation/other/response", &json!({})).await;
        let now = caller.post("invocation/now/error", &body).await;
        (early, now, caller.post("invocation/now/response", &json!({})).await)
    };
    let (statuses, outcome) = tokio::join!(process, api.answer_to("now"));
    assert_eq!(statuses, (Status::BAD_REQUEST, Status::ACCEPTED, Status::BAD_REQUEST));
    let (error_type, message) = ("Refused".to_owned(), "not today".to_owned());
    assert_eq!(outcome, Ok(Err(InvokeError::Function { error_type, message })));
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_an_error_of_the_function() {
    let api = RuntimeApi::start("resolve").unwrap();
    let caller = Caller::new(&api);
    let url = format!("{}invocation/now/response", caller.url);
    let (_, outcome) = tokio::join!(caller.client.post(url).body("{").send(), api.answer_to("now"));
    assert!(outcome.unwrap().unwrap_err().to_string().contains("Runtime.MarshalError"));
}

#[tokio::test]
async fn who_cannot_start_says_so() {
    let api = RuntimeApi::start("resolve").unwrap();
    let caller = Caller::new(&api);
    let body = json!({ "errorType": "Config", "errorMessage": "a name is missing" });
    let (status, asked) = tokio::join!(caller.post("init/error", &body), api.asked());
    assert_eq!((status, asked.unwrap_err()), (Status::ACCEPTED, "Config: a name is missing".to_owned()));
    assert_eq!(caller.post("elsewhere", &body).await, Status::NOT_FOUND);
}

#[test]
fn a_deadline_lies_as_far_ahead_as_the_timeout() {
    let before = epoch_ms();
    let ahead = deadline(Duration::from_secs(3)) - 3000;
    assert!((before..=epoch_ms()).contains(&ahead), "{ahead}");
}
