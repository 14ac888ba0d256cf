//! Tests of the fault proxy, through the real SDK.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::{
    config::timeout::TimeoutConfig,
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, TransactWriteItem},
};
use futures_util::future::join_all;

use super::*;
use crate::{
    Clients, Endpoints, Engines, clients,
    fixture::{engines, exists, table, text, tries},
};

async fn things() -> (Engines, Clients, FaultProxy) {
    let (engines, clients) = engines().await;
    table(&clients, "things").await;
    let proxy = FaultProxy::start(&engines.endpoints().dynamodb).unwrap();
    (engines, clients, proxy)
}

fn putting(id: &str) -> TransactWriteItem {
    let put = Put::builder().table_name("things").item("id", text(id)).build().unwrap();
    TransactWriteItem::builder().put(put).build()
}

#[tokio::test]
async fn a_conflict_of_transactions_is_typed_by_the_sdk() {
    let (_engines, direct, proxy) = things().await;
    let client = tries(&direct, &proxy.url(), 3);
    let rule = proxy.rules().add(Rule::on("TransactWriteItems", Fault::Conflict).times(1));

    let call = client.transact_write_items().transact_items(putting("a")).transact_items(putting("b"));
    let error = call.clone().send().await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(error) = error else {
        panic!("not typed: {error:?}");
    };
    let codes: Vec<_> = error.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    assert_eq!(codes, ["TransactionConflict", "None"]);
    assert!(!exists(&direct, "things", "a").await);

    call.send().await.unwrap();
    assert!(exists(&direct, "things", "a").await);
    assert_eq!((rule.injected(), proxy.rules().calls("TransactWriteItems")), (1, 2));
}

#[tokio::test]
async fn a_conflict_of_a_single_write_is_typed_by_the_sdk() {
    let (_engines, direct, proxy) = things().await;
    proxy.rules().add(Rule::all(Fault::Conflict));
    let client = tries(&direct, &proxy.url(), 1);
    let error = client.put_item().table_name("things").item("id", text("a")).send().await.unwrap_err();
    assert!(error.into_service_error().is_transaction_conflict_exception());
}

#[tokio::test]
async fn exceptions_have_their_name_and_throttles_are_tried_again() {
    let (_engines, direct, proxy) = things().await;
    let rules = proxy.rules();
    rules.add(Rule::on("PutItem", Fault::Exception("ThrottlingException")).times(1));
    rules.add(Rule::on("PutItem", Fault::Exception("ProvisionedThroughputExceededException")).times(1));
    rules.add(Rule::on("PutItem", Fault::Status(500)).times(1));
    let put = |client: aws_sdk_dynamodb::Client| {
        let call = client.put_item().table_name("things").item("id", text("a"));
        async move { call.send().await }
    };

    let error = put(tries(&direct, &proxy.url(), 1)).await.unwrap_err();
    assert_eq!(error.code(), Some("ThrottlingException"));
    put(tries(&direct, &proxy.url(), 3)).await.unwrap();
    assert_eq!(rules.calls("PutItem"), 4);
}

#[tokio::test]
async fn a_broken_connection_hides_whether_the_call_was_applied() {
    let (_engines, direct, proxy) = things().await;
    let client = tries(&direct, &proxy.url(), 1);
    let put = |id| client.put_item().table_name("things").item("id", text(id)).send();

    proxy.rules().add(Rule::all(Fault::DropBefore).times(1));
    proxy.rules().add(Rule::all(Fault::DropAfter).times(1));
    put("before").await.unwrap_err();
    put("after").await.unwrap_err();
    assert!(!exists(&direct, "things", "before").await);
    assert!(exists(&direct, "things", "after").await);
    put("whole").await.unwrap();
}

#[tokio::test]
async fn a_duplicate_is_applied_twice() {
    let (_engines, direct, proxy) = things().await;
    proxy.rules().add(Rule::on("UpdateItem", Fault::Duplicate));
    let client = tries(&direct, &proxy.url(), 1);
    let call =
        client.update_item().table_name("things").key("id", text("a")).update_expression("ADD hits :one");
    let call = call.expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
    call.send().await.unwrap();
    let got = direct.dynamodb.get_item().table_name("things").key("id", text("a")).send().await.unwrap();
    assert_eq!(got.item.unwrap()["hits"], AttributeValue::N("2".to_owned()));
}

#[tokio::test]
async fn an_answer_is_held_back_until_the_rule_ends() {
    let (_engines, direct, proxy) = things().await;
    let client = tries(&direct, &proxy.url(), 1);
    let rule = proxy.rules().add(Rule::on("PutItem", Fault::Hold));
    let put = tokio::spawn(client.put_item().table_name("things").item("id", text("a")).send());
    rule.has_held(1).await;
    assert!(exists(&direct, "things", "a").await && !put.is_finished());
    rule.end();
    put.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_call_is_held_back_until_the_rule_ends() {
    let (_engines, direct, proxy) = things().await;
    let client = tries(&direct, &proxy.url(), 1);
    let rule = proxy.rules().add(Rule::on("PutItem", Fault::HoldBefore));
    let put = tokio::spawn(client.put_item().table_name("things").item("id", text("a")).send());
    rule.has_held(1).await;
    assert!(!exists(&direct, "things", "a").await);
    rule.end();
    put.await.unwrap().unwrap();
    assert!(exists(&direct, "things", "a").await);
}

#[tokio::test]
async fn a_predicate_chooses_and_an_ended_rule_is_silent() {
    let (_engines, direct, proxy) = things().await;
    let client = tries(&direct, &proxy.url(), 1);
    let put = |id| client.put_item().table_name("things").item("id", text(id)).send();

    let bad = Rule::on("PutItem", Fault::DropBefore).when(|body| body["Item"]["id"]["S"] == "bad");
    let bad = proxy.rules().add(bad);
    put("good").await.unwrap();
    put("bad").await.unwrap_err();
    bad.end();
    put("bad").await.unwrap();
    assert_eq!(bad.injected(), 1);
}

#[test]
fn a_probability_follows_from_its_seed() {
    let run = |seed| {
        let rules = Rules::default();
        rules.add(Rule::all(Fault::Status(500)).with_probability(0.25, seed));
        (0..200).map(|_| rules.judge("PutItem", &Bytes::new()).is_some()).collect::<Vec<_>>()
    };
    let fired = run(1).into_iter().filter(|fired| *fired).count();
    assert!((30..70).contains(&fired), "{fired}");
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[tokio::test]
async fn signed_objects_and_queues_pass_unharmed_and_are_counted() {
    let (engines, _) = engines().await;
    let direct = engines.endpoints();
    let (s3, sqs) = (FaultProxy::start(&direct.s3).unwrap(), FaultProxy::start(&direct.sqs).unwrap());
    let clients = clients(&Endpoints { dynamodb: direct.dynamodb.clone(), s3: s3.url(), sqs: sqs.url() });
    clients.s3.create_bucket().bucket("things").send().await.unwrap();
    clients.s3.put_object().bucket("things").key("a").body(b"body".to_vec().into()).send().await.unwrap();
    let head = clients.s3.head_object().bucket("things").key("a").send().await.unwrap();
    assert_eq!((head.content_length(), s3.rules().calls("PUT")), (Some(4), 2));
    let url = clients.sqs.create_queue().queue_name("work").send().await.unwrap().queue_url.unwrap();
    clients.sqs.send_message().queue_url(url).message_body("hello").send().await.unwrap();
    assert_eq!(sqs.rules().calls("SendMessage"), 1);
}

#[tokio::test]
async fn a_slow_engine_meets_the_callers_timeout() {
    let (_engines, direct, proxy) = things().await;
    proxy.rules().add(Rule::all(Fault::Delay(Duration::from_mins(1))));
    let timeout = TimeoutConfig::builder().operation_timeout(Duration::from_millis(50)).build();
    let client = tries(&direct, &proxy.url(), 1);
    let config = client.config().to_builder().timeout_config(timeout).build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let error = client.put_item().table_name("things").item("id", text("a")).send().await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
}

/// How many of eight calls at once are in an engine at one time.
async fn together(start: fn(&str) -> io::Result<FaultProxy>) -> usize {
    let (within, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let engine = service_fn(move |_: Request<Incoming>| {
        let (within, seen) = (Arc::clone(&within), Arc::clone(&seen));
        async move {
            seen.fetch_max(within.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            within.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, Failure>(http::json(StatusCode::OK, "{}"))
        }
    });
    let engine = Server::start(listen().unwrap(), engine).unwrap();
    let proxy = start(&engine.url()).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    join_all((0..8).map(|_| client.get(proxy.url()).send()))
        .await
        .into_iter()
        .for_each(|sent| drop(sent.unwrap()));
    most.load(Ordering::SeqCst)
}

#[tokio::test]
async fn calls_of_an_engine_that_cannot_answer_several_wait_for_each_other() {
    assert!(together(FaultProxy::start).await > 1);
    assert_eq!(together(FaultProxy::one_at_a_time).await, 1);
}
