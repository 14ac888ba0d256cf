//! The few ways in which we talk to DynamoDB: read an item, list a partition, and turn values into items.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{put_item::PutItemError, query::builders::QueryFluentBuilder},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Error, ErrorKind, Result};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Store,
    keys::{Key, List, TelemetryKey},
    sent::Sent,
};

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The attributes that every item may have beside its own.
pub(crate) mod attribute {
    pub(crate) const PK: &str = "pk";
    pub(crate) const SK: &str = "sk";
    pub(crate) const INDEX_PK: &str = "gsi1pk";
    pub(crate) const INDEX_SK: &str = "gsi1sk";
    /// When the table may delete the item, in seconds since the epoch.
    pub(crate) const GONE_AT: &str = "gone_at";
}

/// The name of the index.
pub(crate) const INDEX: &str = "gsi1";

/// The most bytes of a key's two parts, as DynamoDB has them.
const MAX_PK_BYTES: usize = 2048;
const MAX_SK_BYTES: usize = 1024;

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The things.
    pub data: Vec<T>,
    /// How to get the next page; `None` at the end.
    pub next_cursor: Option<String>,
}

/// Which page is wanted.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// How many things, at most.
    pub limit: u32,
    /// From a former page.
    pub cursor: Option<String>,
}

impl PageRequest {
    /// The first `limit` things.
    pub fn first(limit: u32) -> Self {
        Self { limit, cursor: None }
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A value as an item under its key.
pub(crate) fn to_item(key: &Key, value: &impl Serialize) -> Result<Item> {
    with_key(serde_dynamo::to_item(value).map_err(Error::internal)?, key.pk(), key.sk())
}

/// The same for telemetry.
pub(crate) fn to_telemetry_item(key: &TelemetryKey, value: &impl Serialize) -> Result<Item> {
    with_key(serde_dynamo::to_item(value).map_err(Error::internal)?, key.pk(), key.sk())
}

#[expect(clippy::unnecessary_wraps, reason = "both callers end with it")]
fn with_key(mut item: Item, pk: String, sk: String) -> Result<Item> {
    item.insert(attribute::PK.to_owned(), text(pk));
    item.insert(attribute::SK.to_owned(), text(sk));
    Ok(item)
}

/// An item as a value. An item that does not fit is a defect, and says which it is.
pub(crate) fn from_item<T: DeserializeOwned>(item: Item) -> Result<T> {
    let name = format!("{:?} {:?}", item.get(attribute::PK), item.get(attribute::SK));
    serde_dynamo::from_item(item)
        .map_err(|error| Error::internal(format!("the item {name} does not read: {error}")))
}

/// What a call to DynamoDB failed with: throttling and outages are told apart from our own mistakes.
pub(crate) fn failed<E>(error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let ours = matches!(error.code(), Some("ValidationException" | "ResourceNotFoundException"));
    if ours { Error::internal(error) } else { Error::unavailable("The registry's table", error) }
}

impl Store {
    /// Reads one item of the registry, strongly consistent.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>> {
        self.get_from(&self.names.registry, key.pk(), key.sk()).await
    }

    /// Reads one item of telemetry, strongly consistent.
    pub(crate) async fn get_telemetry<T: DeserializeOwned>(&self, key: &TelemetryKey) -> Result<Option<T>> {
        self.get_from(&self.names.telemetry, key.pk(), key.sk()).await
    }

    async fn get_from<T: DeserializeOwned>(&self, table: &str, pk: String, sk: String) -> Result<Option<T>> {
        // Callers name keys and models as they like: what the table cannot hold is not there.
        if pk.len() > MAX_PK_BYTES || sk.is_empty() || sk.len() > MAX_SK_BYTES {
            return Ok(None);
        }
        let (pk, sk) = (text(pk), text(sk));
        let read = |client: Client| {
            let item = client.get_item().table_name(table).consistent_read(true);
            item.key(attribute::PK, pk.clone()).key(attribute::SK, sk.clone()).sent()
        };
        let answer = self.tables.read(read).await.map_err(failed)?;
        answer.item.map(from_item).transpose()
    }

    /// Puts one item of the registry that stands outside every chain, if its key is free.
    pub(crate) async fn put_new(&self, item: Item) -> Result<bool> {
        self.put_if_absent(&self.names.registry, item).await
    }

    pub(crate) async fn put_if_absent(&self, table: &str, item: Item) -> Result<bool> {
        let put = self
            .dynamodb()
            .put_item()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .sent()
            .await;
        match put {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Puts an item, which says `value`, in place of the one with this revision, outside every chain: it is bookkeeping,
    /// and nobody's decision.
    ///
    /// Returns whether it took. When the table's answer is lost, the client writes once more, and what it then finds in
    /// its way is its own.
    pub(crate) async fn keep<T>(&self, table: &str, item: Item, value: &T, revision: u64) -> Result<bool>
    where
        T: DeserializeOwned + PartialEq,
    {
        let put = self
            .dynamodb()
            .put_item()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression("revision = :revision")
            .expression_attribute_values(":revision", number(revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .sent()
            .await;
        let Err(error) = put else { return Ok(true) };
        if let Some(PutItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() {
            let found = refused.item().cloned().map(from_item::<T>).transpose()?;
            return Ok(found.as_ref() == Some(value));
        }
        if error.code() == Some("TransactionConflictException") { Ok(false) } else { Err(failed(error)) }
    }

    /// A query over the items of one partition whose sort key begins with `prefix`, strongly consistent.
    pub(crate) fn query(&self, table: &str, pk: String, prefix: &str) -> QueryFluentBuilder {
        let query = self
            .dynamodb()
            .query()
            .table_name(table)
            .consistent_read(true)
            .expression_attribute_values(":pk", text(pk));
        if prefix.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", text(prefix))
        }
    }

    /// A query over a list of the index. The index follows the table a moment later.
    pub(crate) fn query_list(&self, list: &List<'_>) -> QueryFluentBuilder {
        self.dynamodb()
            .query()
            .table_name(&self.names.registry)
            .index_name(INDEX)
            .key_condition_expression("gsi1pk = :list")
            .expression_attribute_values(":list", text(list.pk()))
    }

    /// One page of a query.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        query: QueryFluentBuilder,
        request: &PageRequest,
    ) -> Result<Page<T>> {
        let start = request.cursor.as_deref().map(decode_cursor).transpose()?;
        let limit = i32::try_from(request.limit).unwrap_or(i32::MAX);
        let answer =
            query.limit(limit).set_exclusive_start_key(start.clone()).sent().await.map_err(|error| {
                // A cursor is the caller's: one that was made for another list is refused by the table.
                if start.is_some() && error.code() == Some("ValidationException") {
                    bad_cursor().caused_by(error)
                } else {
                    failed(error)
                }
            })?;
        let next_cursor = answer.last_evaluated_key.as_ref().map(encode_cursor).transpose()?;
        let data = answer.items.unwrap_or_default().into_iter().map(from_item).collect::<Result<_>>()?;
        Ok(Page { data, next_cursor })
    }

    /// All items of a query.
    pub(crate) async fn all<T: DeserializeOwned>(&self, query: QueryFluentBuilder) -> Result<Vec<T>> {
        let mut items = query.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            found.push(from_item(item.map_err(failed)?)?);
        }
        Ok(found)
    }
}

/// One place of a list is always written alike: answers are tagged by their bytes.
fn encode_cursor(key: &Item) -> Result<String> {
    let texts: BTreeMap<&str, &str> =
        key.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_s().ok()?.as_str()))).collect();
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&texts).map_err(Error::internal)?))
}

fn decode_cursor(cursor: &str) -> Result<Item> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad_cursor())?;
    let texts: HashMap<String, String> = serde_json::from_slice(&bytes).map_err(|_| bad_cursor())?;
    Ok(texts.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// The refusal of a cursor that no page of the list gave.
pub fn bad_cursor() -> Error {
    Error::new(
        ErrorKind::Invalid,
        "The cursor is not one of this list. Use `next_cursor` of its former page.",
    )
    .at("/cursor", "not a cursor of this list")
}
