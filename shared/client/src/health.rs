//! Whether the platform lives, and whether what it depends on answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Client, Result};

/// The process lives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// Which version of Cuecard it is.
    pub version: String,
}

/// How each dependency does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Readiness {
    /// `ok` or `unavailable`.
    pub status: String,
    /// By name.
    pub dependencies: BTreeMap<String, Dependency>,
}

/// How a dependency does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dependency {
    /// `ok` or `unavailable`.
    pub status: String,
    /// How long it took to answer.
    pub latency_ms: f64,
}

impl Client {
    /// Asks whether the process lives.
    pub async fn health(&self) -> Result<Health> {
        self.get("/healthz").answer().await
    }

    /// Asks each dependency; it is an answer also when one does not.
    pub async fn readiness(&self) -> Result<Readiness> {
        self.get("/readyz").any_answer().await
    }
}
