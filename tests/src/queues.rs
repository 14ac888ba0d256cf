//! The queues of a platform.

use std::time::Duration;

use runtime::{Queue, aws::Aws};

/// The URLs of the queues, and of their dead letters.
pub(crate) struct Queues {
    pub(crate) cases: String,
    pub(crate) dead_cases: String,
    pub(crate) metrics: String,
    pub(crate) dead_metrics: String,
    pub(crate) webhooks: String,
    pub(crate) dead_webhooks: String,
}

impl Queues {
    pub(crate) async fn create(aws: &Aws) -> Self {
        let create = async |name, tries| {
            Queue::create(aws, name, Duration::from_secs(30), tries).await.expect("the queues are made")
        };
        let (cases, dead_cases) = create("cuecard-eval", 3).await;
        let (metrics, dead_metrics) = create("cuecard-metrics", 3).await;
        let (webhooks, dead_webhooks) = create("cuecard-webhooks", 5).await;
        Self { cases, dead_cases, metrics, dead_metrics, webhooks, dead_webhooks }
    }
}
