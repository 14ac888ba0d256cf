//! AWS clients for the engines, for tests and for the parts that AWS plays.

use std::{collections::HashMap, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    config::{Credentials, SharedCredentialsProvider},
    types::AttributeValue,
};

use crate::engines::{ACCESS_KEY, Endpoints, REGION, SECRET_KEY};

/// One client for each service of the engines.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The tables' streams.
    pub streams: aws_sdk_dynamodbstreams::Client,
    /// Objects.
    pub s3: aws_sdk_s3::Client,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
}

/// An item of a table.
pub type Item = HashMap<String, AttributeValue>;

impl Clients {
    /// All items of a table, as an export of it has them.
    pub async fn items(&self, table: &str) -> Result<Vec<Item>, aws_sdk_dynamodb::Error> {
        let mut items = self.dynamodb.scan().table_name(table).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            found.push(item?);
        }
        Ok(found)
    }

    /// Makes these the items of a table of this key, whatever it held.
    pub async fn import(
        &self,
        table: &str,
        key: &[&str],
        items: &[Item],
    ) -> Result<(), aws_sdk_dynamodb::Error> {
        for mut item in self.items(table).await? {
            item.retain(|name, _| key.contains(&name.as_str()));
            self.dynamodb.delete_item().table_name(table).set_key(Some(item)).send().await?;
        }
        for item in items {
            self.dynamodb.put_item().table_name(table).set_item(Some(item.clone())).send().await?;
        }
        Ok(())
    }
}

/// Clients with the engines' credentials: 1 s to connect, 10 s for an attempt, 30 s for a call with its retries.
pub fn clients(endpoints: &Endpoints) -> Clients {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(30))
        .build();
    let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "testkit");
    let at = |url: &str| {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
            .timeout_config(timeouts.clone())
            .endpoint_url(url)
            .build()
    };
    // A bucket's name cannot become a host name under 127.0.0.1.
    let s3 = aws_sdk_s3::config::Builder::from(&at(&endpoints.s3)).force_path_style(true).build();
    Clients {
        dynamodb: aws_sdk_dynamodb::Client::new(&at(&endpoints.dynamodb)),
        streams: aws_sdk_dynamodbstreams::Client::new(&at(&endpoints.dynamodb)),
        s3: aws_sdk_s3::Client::from_conf(s3),
        sqs: aws_sdk_sqs::Client::new(&at(&endpoints.sqs)),
    }
}
