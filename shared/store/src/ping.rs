//! Asking the dependencies whether they are there.

use domain::{Error, Result};

use crate::{
    Store,
    sent::Sent,
    table::{attribute, failed, text},
};

/// Something that the store depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    /// The registry table.
    Registry,
    /// The telemetry table.
    Telemetry,
    /// The bucket.
    Objects,
}

impl Dependency {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Registry, Self::Telemetry, Self::Objects];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Telemetry => "telemetry",
            Self::Objects => "objects",
        }
    }
}

impl Store {
    /// Asks a dependency for nothing in particular.
    pub async fn ping(&self, dependency: Dependency) -> Result<()> {
        match dependency {
            Dependency::Registry => self.ping_table(&self.names.registry).await,
            Dependency::Telemetry => self.ping_table(&self.names.telemetry).await,
            Dependency::Objects => {
                let asked = self.s3.head_bucket().bucket(&self.names.bucket).sent().await;
                asked.map(|_| ()).map_err(|error| Error::unavailable("The store of test sets", error))
            }
        }
    }

    async fn ping_table(&self, table: &str) -> Result<()> {
        let key = text("PING");
        let asked = self
            .dynamodb()
            .get_item()
            .table_name(table)
            .key(attribute::PK, key.clone())
            .key(attribute::SK, key)
            .sent()
            .await;
        asked.map(|_| ()).map_err(failed)
    }
}
