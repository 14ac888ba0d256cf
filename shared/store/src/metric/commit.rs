//! Writes become a transaction of the table.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        Delete, Put, TransactWriteItem, Update,
        builders::{DeleteBuilder, PutBuilder, UpdateBuilder},
    },
};
use domain::{Error, Result};

use super::{
    effect::{Expiring, Write, Writes},
    known::{Kept, Place},
    sums::{Sums, lacking},
};
use crate::{
    Store,
    change::is_busy,
    sent::Sent,
    table::{attribute, failed, number, text},
};

/// Why writes were not carried out. Unless they failed, nothing of them was written.
pub(super) enum Refused {
    /// Somebody else was there first, or is there now: another look may find what to write instead.
    Lost,
    /// The table will never take it.
    Never(Error),
    /// The table did not answer. It may have been written.
    Failed(Error),
}

impl Store {
    /// Carries writes out, all or none of them.
    pub(super) async fn write(&self, writes: &Writes) -> Result<(), Refused> {
        let mut transaction = self.dynamodb().transact_write_items();
        for (place, write) in writes {
            let item = transact_item(&self.names.telemetry, place, write).map_err(Refused::Never)?;
            transaction = transaction.transact_items(item);
        }
        let Err(error) = transaction.sent().await else { return Ok(()) };
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
        Write::Take(sums) => {
            let delete = removal(sums).table_name(table);
            let delete = delete.key(attribute::PK, text(&place.0)).key(attribute::SK, text(&place.1));
            item.delete(delete.build().map_err(Error::internal)?)
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

/// On the condition that nothing was added since: each number is what it was, and there are no others.
fn removal(sums: &Sums) -> DeleteBuilder {
    let mut delete = Delete::builder();
    let mut says = Vec::new();
    for (at, (name, sum)) in sums.iter().enumerate() {
        let (name_at, value_at) = (format!("#{at:x}"), format!(":{at:x}"));
        says.push(format!("{name_at} = {value_at}"));
        delete = delete
            .expression_attribute_names(name_at, name)
            .expression_attribute_values(value_at, number(sum));
    }
    for (at, name) in lacking(sums).into_iter().enumerate() {
        let name_at = format!("#no{at:x}");
        says.push(format!("attribute_not_exists({name_at})"));
        delete = delete.expression_attribute_names(name_at, name);
    }
    delete.condition_expression(says.join(" AND "))
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
