//! AWS clients for the engines, for tests and for the parts that AWS plays.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};

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
