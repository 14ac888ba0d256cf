//! What goes past the API: the rollback function itself, and what a deployment is made of.
//!
//! A server of this test stands for AWS, and behind its Lambda route runs the real function.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use e2e::ADMIN;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use web::Doors;

use crate::stage::{Said, Stage};

/// What stands for AWS.
#[derive(Clone)]
struct Amazon {
    rollback: rollback::App,
    /// What is not well: a name of the stack, and its state.
    ill: Arc<Mutex<Option<(&'static str, &'static str)>>>,
}

/// The things of a stack: name, kind, and what AWS calls it.
const STACK: [(&str, &str, &str); 8] = [
    ("Registry", "AWS::DynamoDB::Table", "cuecard-registry"),
    ("EvalCases", "AWS::SQS::Queue", "https://sqs.eu-west-1.amazonaws.com/1/cases"),
    ("EvalDeadLetters", "AWS::SQS::Queue", "https://sqs.eu-west-1.amazonaws.com/1/dead"),
    ("TestSets", "AWS::S3::Bucket", "cuecard-test-sets"),
    ("Resolve", "AWS::Lambda::Function", "cuecard-resolve"),
    ("DispatchStream", "AWS::Lambda::EventSourceMapping", "11-22"),
    ("Cache", "AWS::ElastiCache::ServerlessCache", "cuecard-cache"),
    ("Network", "AWS::EC2::VPC", "vpc-1"),
];

impl Amazon {
    /// The state of a thing: this one, if nothing is wrong with it.
    fn state(&self, name: &str, well: &str) -> String {
        let ill = *self.ill.lock().unwrap();
        ill.filter(|(ill, _)| *ill == name).map_or(well, |(_, state)| state).to_owned()
    }

    async fn answer(&self, method: &Method, path: &str, headers: &HeaderMap, body: &Bytes) -> Response {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let signature = header("authorization");
        let signed =
            signature.starts_with("AWS4-HMAC-SHA256 Credential=AKID/") && signature.contains("/eu-west-1/");
        if !signed || header("x-amz-date").is_empty() {
            return StatusCode::FORBIDDEN.into_response();
        }
        let asked: Value = serde_json::from_slice(body).unwrap_or_default();
        let form = String::from_utf8_lossy(body);
        match (method.as_str(), header("x-amz-target")) {
            (_, "DynamoDB_20120810.DescribeTable") => {
                let streams = self.state("Registry", "on") == "on";
                let table =
                    json!({ "TableStatus": "ACTIVE", "StreamSpecification": { "StreamEnabled": streams } });
                json!({ "Table": table }).to_string().into_response()
            }
            (_, "AmazonSQS.GetQueueAttributes") => {
                let dead = asked["QueueUrl"].as_str().unwrap().ends_with("dead");
                let count = if dead { self.state("EvalDeadLetters", "0") } else { "7".to_owned() };
                let attributes = json!({ "ApproximateNumberOfMessages": count });
                json!({ "Attributes": attributes }).to_string().into_response()
            }
            ("HEAD", _) => StatusCode::OK.into_response(),
            ("POST", _) if path.ends_with("/functions/cuecard-rollback/invocations") => {
                rollback::handle(asked, "req-7", &self.rollback).await.to_string().into_response()
            }
            _ if path.ends_with("/configuration") => {
                let state = self.state("Resolve", "Active");
                json!({ "State": state, "LastUpdateStatus": "Successful" }).to_string().into_response()
            }
            _ if path.ends_with("/event-source-mappings/11-22") => {
                json!({ "State": self.state("DispatchStream", "Enabled") }).to_string().into_response()
            }
            _ if form.starts_with("Action=ListStackResources") => stack(&form).into_response(),
            _ if form.starts_with("Action=DescribeServerlessCaches") => {
                caches(&self.state("Cache", "available")).into_response()
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

/// The cache, as ElastiCache describes it.
fn caches(status: &str) -> String {
    format!(
        "<DescribeServerlessCachesResponse><DescribeServerlessCachesResult><ServerlessCaches><member>\
         <ServerlessCacheName>cuecard-cache</ServerlessCacheName><Status>{status}</Status>\
         </member></ServerlessCaches></DescribeServerlessCachesResult></DescribeServerlessCachesResponse>"
    )
}

/// The resources, on two pages.
fn stack(form: &str) -> String {
    let second = form.contains("NextToken=more");
    let (first, rest) = STACK.split_at(5);
    let member = |(name, kind, id): &(&str, &str, &str)| {
        format!(
            "<member><LogicalResourceId>{name}</LogicalResourceId><ResourceType>{kind}</ResourceType>\
             <PhysicalResourceId>{id}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
        )
    };
    let members: String = if second { rest } else { first }.iter().map(member).collect();
    let next = if second { "" } else { "<NextToken>more</NextToken>" };
    format!(
        "<ListStackResourcesResult><StackResourceSummaries>{members}</StackResourceSummaries>{next}</ListStackResourcesResult>"
    )
}

async fn amazon(stage: &Stage) -> (Amazon, String) {
    let release = stage.platform.release().clone();
    let registry = &release.registry;
    let doors = Doors::new(registry.cache.clone(), registry.store.clone(), registry.sources.clone(), 6000);
    let amazon = Amazon { rollback: rollback::App { doors, release }, ill: Arc::default() };
    let answer =
        async |State(amazon): State<Amazon>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            amazon.answer(&method, uri.path(), &headers, &body).await
        };
    let router = Router::new().fallback(answer).with_state(amazon.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    (amazon, url)
}

/// Runs a command with credentials of AWS, and the key where it is given.
async fn run(stage: &Stage, url: &str, key: Option<&str>, arguments: &[&str]) -> Said {
    let mut environment = vec![
        ("CUECARD_URL", stage.platform.url()),
        ("CUECARD_AWS_ENDPOINT", url),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "eu-west-1"),
    ];
    environment.extend(key.map(|key| ("CUECARD_API_KEY", key)));
    stage.said(arguments, &environment).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_reaches_the_function_where_nothing_in_front_of_it_works() {
    let stage = Stage::empty().await;
    let (_, url) = amazon(&stage).await;
    let prompt = "support/greeting";
    stage.fields(&["prompts", "create", prompt, "--gate", r#"{"mode": "off"}"#]).await;
    for template in ["a", "b", "c"] {
        stage.fields(&["versions", "create", prompt, "--template", template, "--model", "mock/echo"]).await;
        stage.fields(&["promote", prompt, "newest", "--yes"]).await;
    }
    let direct = ["rollback", prompt, "--direct", "--function", "cuecard-rollback", "--reason", "It hurts"];
    let said = run(&stage, &url, None, &direct).await;
    assert!(said.code == 2 && said.stderr.contains("--yes"), "{}", said.stderr);
    let said = run(&stage, &url, None, &[&direct[..], &["--yes"]].concat()).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    let said = run(&stage, &url, Some(ADMIN), &[&direct[..], &["--yes", "-o", "json"]].concat()).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    let history = stage.fields(&["history", prompt, "--limit", "2"]).await;
    let by: Vec<_> =
        history["data"].as_array().unwrap().iter().map(|entry| entry["actor"]["id"].clone()).collect();
    assert!(by[0].as_str().unwrap().starts_with("key_") && by[1] == "iam:unverified", "{by:?}");
    assert_eq!(history["data"][0]["after"]["version_number"], 1);
    let said = run(&stage, &url, None, &[&direct[..], &["--yes"]].concat()).await;
    assert_eq!(said.code, 6, "there is nothing left to roll back to: {}", said.stderr);
    let said = run(
        &stage,
        &url,
        None,
        &["rollback", "a/b", "--direct", "--function", "nobody", "--reason", "x", "--yes"],
    )
    .await;
    assert_eq!(said.code, 4, "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_everything_a_deployment_is_made_of() {
    let stage = Stage::empty().await;
    let (amazon, url) = amazon(&stage).await;
    let look = ["doctor", "--stack", "cuecard", "-o", "json"];
    let said = run(&stage, &url, Some(ADMIN), &look).await;
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    let seen = said.stdout;
    for (name, kind, _) in STACK {
        assert_eq!(seen.contains(&format!(" {name}\"")), kind != "AWS::EC2::VPC", "{name}: {seen}");
    }
    for (name, state, advice) in [
        ("Registry", "off", "turn its stream on"),
        ("EvalDeadLetters", "3", "redrive"),
        ("Resolve", "Failed", "deploy it again"),
        ("DispatchStream", "Disabled", "enable it"),
        ("Cache", "creating-failed", "from the tables"),
    ] {
        *amazon.ill.lock().unwrap() = Some((name, state));
        let said = run(&stage, &url, Some(ADMIN), &["doctor", "--stack", "cuecard"]).await;
        assert_eq!(said.code, 7, "{name}: {}", said.stdout);
        assert!(said.stderr.contains(name) && said.stderr.contains(advice), "{name}: {}", said.stderr);
    }
    let said = run(&stage, "http://127.0.0.1:9", Some(ADMIN), &look).await;
    assert_eq!(said.code, 7, "{}", said.stderr);
}
