//! How far the daily watch over live versions is.

use domain::{Result, Timestamp, money::Usd};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    keys::TelemetryKey,
    sent::Sent,
    table::{failed, to_telemetry_item},
};

/// A round over all prompts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRound {
    /// When it began.
    pub began_at: Timestamp,
    /// Where it goes on; `None`: it is done.
    pub cursor: Option<String>,
    /// What its runs will cost, by what their passing runs cost.
    pub spent_usd: Usd,
}

impl Store {
    /// The newest round; `None` before the first.
    pub async fn watch_round(&self) -> Result<Option<WatchRound>> {
        self.get_telemetry(&TelemetryKey::Watch).await
    }

    /// Keeps how far a round is. Of two at once the last one counts: no version is measured twice for that.
    pub async fn keep_watch_round(&self, round: &WatchRound) -> Result<()> {
        let item = to_telemetry_item(&TelemetryKey::Watch, round)?;
        let put = self.dynamodb().put_item().table_name(&self.names.telemetry).set_item(Some(item));
        put.sent().await.map_err(failed)?;
        Ok(())
    }
}
