//! When API keys are used, and how much they write.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue;
use domain::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    keys::TelemetryKey,
    sent::Sent,
    table::{attribute, failed, number, text},
};

#[derive(Serialize, Deserialize)]
struct KeyUse {
    last_used_at: Timestamp,
}

impl Store {
    /// Notes that a key is in use. Called about once an hour, so the moment is that precise.
    pub async fn note_key_use(&self, id: &str, now: Timestamp) -> Result<()> {
        let key = TelemetryKey::KeyUse(id.to_owned());
        self.dynamodb()
            .update_item()
            .table_name(&self.names.telemetry)
            .key(attribute::PK, text(key.pk()))
            .key(attribute::SK, text(key.sk()))
            .update_expression("SET last_used_at = :now")
            .expression_attribute_values(":now", text(now.to_string()))
            .sent()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// When a key was last used, to the hour.
    pub async fn key_last_used(&self, id: &str) -> Result<Option<Timestamp>> {
        let found: Option<KeyUse> = self.get_telemetry(&TelemetryKey::KeyUse(id.to_owned())).await?;
        Ok(found.map(|found| found.last_used_at))
    }

    /// Counts a write of a key, and says how many it made in this minute.
    pub async fn count_write(&self, id: &str, now: Timestamp) -> Result<u64> {
        let key = TelemetryKey::KeyWrites(id.to_owned(), now.as_seconds().div_euclid(60));
        let gone = now.plus(Duration::from_mins(10)).as_seconds();
        let answer = self
            .dynamodb()
            .update_item()
            .table_name(&self.names.telemetry)
            .key(attribute::PK, text(key.pk()))
            .key(attribute::SK, text(key.sk()))
            .update_expression("SET gone_at = :gone ADD writes :one")
            .expression_attribute_values(":gone", number(gone))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew)
            .sent()
            .await
            .map_err(failed)?;
        answer
            .attributes
            .and_then(|attributes| attributes.get("writes")?.as_n().ok()?.parse().ok())
            .ok_or_else(|| Error::internal("the count of writes did not come back"))
    }
}
