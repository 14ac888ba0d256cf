//! A plan becomes a transaction of the table.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        Put, TransactWriteItem, Update,
        builders::{PutBuilder, UpdateBuilder},
    },
};
use domain::{Error, Result};

use super::{
    effect::{Expiring, Write},
    known::{Kept, Place},
    pack::Plan,
    sums::Sums,
};
use crate::{
    Store,
    change::is_busy,
    table::{attribute, failed, number, text},
};

/// Why a plan was not carried out. Unless it failed, nothing of it was written.
pub(super) enum Refused {
    /// Somebody else was there first, or is there now: the same entries may go through with another plan.
    Lost,
    /// The table will never take it.
    Never(Error),
    /// The table did not answer. It may have been written.
    Failed(Error),
}

impl Store {
    /// Carries a plan out, whole.
    pub(super) async fn write(&self, plan: &Plan<'_>) -> Result<(), Refused> {
        let mut transaction = self.dynamodb().transact_write_items();
        for (place, write) in &plan.writes {
            let item = transact_item(&self.names.telemetry, place, write).map_err(Refused::Never)?;
            transaction = transaction.transact_items(item);
        }
        let Err(error) = transaction.send().await else { return Ok(()) };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        {
            let mut codes = cancelled.cancellation_reasons().iter().map(|reason| reason.code());
            let lost = codes.any(|code| code == Some("ConditionalCheckFailed") || is_busy(code));
            return Err(if lost { Refused::Lost } else { Refused::Never(Error::internal(error)) });
        }
        Err(match error.code() {
            code if is_busy(code) => Refused::Lost,
            Some("ValidationException") => Refused::Never(Error::internal(error)),
            _ => Refused::Failed(failed(error)),
        })
    }
}

fn transact_item(table: &str, place: &Place, write: &Expiring) -> Result<TransactWriteItem> {
    let item = TransactWriteItem::builder();
    let gone_at = number(write.gone_at);
    let item = match &write.write {
        Write::Add(sums) => {
            let update = addition(sums).table_name(table).expression_attribute_values(":g", gone_at);
            let update = update.key(attribute::PK, text(&place.0)).key(attribute::SK, text(&place.1));
            item.update(update.build().map_err(Error::internal)?)
        }
        Write::Keep { before, after } => {
            let put = memory(before.as_ref(), after)?.table_name(table).item(attribute::GONE_AT, gone_at);
            let put = put.item(attribute::PK, text(&place.0)).item(attribute::SK, text(&place.1));
            item.put(put.build().map_err(Error::internal)?)
        }
    };
    Ok(item.build())
}

/// Names and values are numbered, since an expression holds 4 KB.
fn addition(sums: &Sums) -> UpdateBuilder {
    let mut update = Update::builder();
    let mut added = Vec::new();
    for (at, (name, sum)) in sums.iter().enumerate() {
        let (name_at, value_at) = (format!("#{at:x}"), format!(":{at:x}"));
        added.push(format!("{name_at} {value_at}"));
        update = update
            .expression_attribute_names(name_at, name)
            .expression_attribute_values(value_at, number(sum));
    }
    let add = if added.is_empty() { String::new() } else { format!(" ADD {}", added.join(",")) };
    update.update_expression(format!("SET {} = :g{add}", attribute::GONE_AT))
}

fn memory(before: Option<&Kept>, after: &Kept) -> Result<PutBuilder> {
    let item = serde_dynamo::to_item(after).map_err(Error::internal)?;
    let put = Put::builder().set_item(Some(item));
    Ok(match before {
        None => put.condition_expression("attribute_not_exists(pk)"),
        Some(before) => put
            .condition_expression("revision = :before")
            .expression_attribute_values(":before", number(before.revision)),
    })
}
