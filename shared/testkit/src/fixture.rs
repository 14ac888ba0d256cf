//! What the tests of this package share: engines, a table with a stream, queues.

use std::time::Duration;

use aws_sdk_dynamodb::{
    config::retry::RetryConfig,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
        StreamSpecification, StreamViewType,
    },
};
use aws_sdk_sqs::types::QueueAttributeName;

use crate::{Clients, Engines, Expired, clients};

pub(crate) async fn engines() -> (Engines, Clients) {
    let engines = Engines::ephemeral(Expired::Removed).await.unwrap();
    let clients = clients(engines.endpoints());
    (engines, clients)
}

/// A client for another endpoint that tries so often, without long waits in between.
pub(crate) fn tries(clients: &Clients, endpoint: &str, attempts: u32) -> aws_sdk_dynamodb::Client {
    let retry = RetryConfig::standard().with_max_attempts(attempts);
    let retry = retry.with_initial_backoff(Duration::from_millis(1));
    let config = clients.dynamodb.config().to_builder().retry_config(retry).endpoint_url(endpoint);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// A table keyed by `id`, with a stream of both images.
pub(crate) async fn table(clients: &Clients, name: &str) {
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let images = StreamViewType::NewAndOldImages;
    let stream =
        StreamSpecification::builder().stream_enabled(true).stream_view_type(images).build().unwrap();
    let call = clients.dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let call = call.key_schema(key).attribute_definitions(id.build().unwrap()).stream_specification(stream);
    call.send().await.unwrap();
}

pub(crate) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(crate) async fn put(clients: &Clients, table: &str, id: &str, value: &str) {
    let call = clients.dynamodb.put_item().table_name(table).item("id", text(id)).item("value", text(value));
    call.send().await.unwrap();
}

pub(crate) async fn exists(clients: &Clients, table: &str, id: &str) -> bool {
    let call = clients.dynamodb.get_item().table_name(table).key("id", text(id)).consistent_read(true);
    call.send().await.unwrap().item.is_some()
}

pub(crate) async fn queue(clients: &Clients, name: &str) -> String {
    clients.sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap()
}

/// A queue whose messages move to `dead_letters` after so many receives.
pub(crate) async fn queue_with_dead_letters(
    clients: &Clients,
    name: &str,
    dead: &str,
    receives: u32,
) -> String {
    let policy = format!(
        r#"{{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:{dead}","maxReceiveCount":{receives}}}"#
    );
    let call = clients.sqs.create_queue().queue_name(name);
    let call = call.attributes(QueueAttributeName::RedrivePolicy, policy);
    call.send().await.unwrap().queue_url.unwrap()
}

pub(crate) async fn send(clients: &Clients, queue_url: &str, body: &str) {
    clients.sqs.send_message().queue_url(queue_url).message_body(body).send().await.unwrap();
}
