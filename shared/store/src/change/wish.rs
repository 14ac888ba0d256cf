//! A rollback's wish that other writers of its prompt stand back. It changes nothing that anybody can see, so it has no
//! audit entry.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata, operation::update_item::builders::UpdateItemFluentBuilder,
};
use domain::{PromptId, Result, Timestamp};

use super::is_busy;
use crate::{
    Store,
    keys::Key,
    sent::Sent,
    table::{attribute, failed, number, text},
};

/// The attribute of a prompt that says until when others stand back.
pub(super) const UNTIL: &str = "yield_until";

impl Store {
    /// Asks other writers of the prompt to stand back until `until`: the rollback that asked for it takes it away
    /// with its own write, and else it lapses.
    pub async fn ask_to_yield(&self, prompt: PromptId, until: Timestamp) -> Result<()> {
        let wish = self.wish(prompt, until);
        let asked =
            wish.update_expression("SET #until = :until").condition_expression("attribute_exists(pk)");
        match asked.sent().await {
            Ok(_) => Ok(()),
            // Being in somebody's way for a moment is why one asks: the caller tries again.
            Err(error) if is_busy(error.code()) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Takes a wish back, unless somebody has wished again since.
    pub async fn withdraw_wish(&self, prompt: PromptId, until: Timestamp) -> Result<()> {
        let wish = self.wish(prompt, until);
        match wish.update_expression("REMOVE #until").condition_expression("#until = :until").sent().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    fn wish(&self, prompt: PromptId, until: Timestamp) -> UpdateItemFluentBuilder {
        let key = Key::Prompt(prompt);
        self.dynamodb()
            .update_item()
            .table_name(&self.names.registry)
            .key(attribute::PK, text(key.pk()))
            .key(attribute::SK, text(key.sk()))
            .expression_attribute_names("#until", UNTIL)
            .expression_attribute_values(":until", number(until.as_millis()))
    }
}
