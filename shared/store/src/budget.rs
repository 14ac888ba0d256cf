//! The budgets of models, which all workers share.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use domain::{Result, budget::Budget};

use crate::{
    Store,
    keys::TelemetryKey,
    sent::Sent,
    table::{failed, number, to_telemetry_item},
};

impl Store {
    /// What is left of a model's budget.
    pub async fn budget(&self, model_id: &str) -> Result<Budget> {
        let key = TelemetryKey::Budget(model_id.to_owned());
        Ok(self.get_telemetry(&key).await?.unwrap_or_default())
    }

    /// Keeps what is left after a change. Returns whether it took: somebody else may have been first.
    pub async fn keep_budget(&self, model_id: &str, budget: &Budget) -> Result<bool> {
        let item = to_telemetry_item(&TelemetryKey::Budget(model_id.to_owned()), budget)?;
        let kept = self
            .dynamodb()
            .put_item()
            .table_name(&self.names.telemetry)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(revision) OR revision = :before")
            .expression_attribute_values(":before", number(budget.revision - 1))
            .sent()
            .await;
        match kept {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}
