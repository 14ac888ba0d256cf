//! What people said of two outputs without knowing whose they were.

use domain::{ExperimentId, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    keys::{JUDGEMENTS, TelemetryKey, trial_partition},
    progress::KEPT,
    table::{attribute, number, to_telemetry_item},
};

/// Somebody's word on the outputs of two arms for a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The case.
    pub case_id: String,
    /// Who said it.
    pub by: String,
    /// The keys of the two arms.
    pub arms: [String; 2],
    /// The key of the better one; `None`: both are as good.
    pub better: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Keeps a judgement, unless the same person judged the case before. Returns whether it is kept.
    pub async fn put_judgement(&self, experiment: ExperimentId, judgement: &Judgement) -> Result<bool> {
        let key = TelemetryKey::Judgement(experiment.into(), judgement.by.clone(), judgement.case_id.clone());
        let mut item = to_telemetry_item(&key, judgement)?;
        item.insert(attribute::GONE_AT.to_owned(), number(judgement.at.plus(KEPT).as_seconds()));
        self.put_if_absent(&self.names.telemetry, item).await
    }

    /// All judgements of an experiment.
    pub async fn judgements(&self, experiment: ExperimentId) -> Result<Vec<Judgement>> {
        let partition = trial_partition(experiment.into());
        self.all(self.query(&self.names.telemetry, partition, JUDGEMENTS)).await
    }
}
