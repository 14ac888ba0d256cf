//! Clients of AWS, or of the engines that stand in for it.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::retry::RetryPartition;
use store::{Names, Store};

/// Where the services are when they are not AWS's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// DynamoDB's URL.
    pub dynamodb: String,
    /// S3's URL.
    pub s3: String,
    /// SQS's URL.
    pub sqs: String,
}

/// The clients of a process: made once, shared by all.
#[derive(Debug, Clone)]
pub struct Aws {
    pub(crate) config: SdkConfig,
    endpoints: Option<Endpoints>,
}

/// No call waits longer than this for one try; a request of ours is over within 25 s.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(500))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(10))
        .build()
}

/// The SDK would wait up to a second before it tries again: a third of the time in which a rollback insists.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50))
}

impl Aws {
    /// Connects to AWS with the environment's credentials.
    pub async fn connect() -> Self {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts())
            .retry_config(retries())
            .load()
            .await;
        Self { config, endpoints: None }
    }

    /// Connects to engines that stand in for AWS, with their credentials.
    pub async fn connect_to(endpoints: Endpoints, region: &str, access_key: &str, secret_key: &str) -> Self {
        let credentials =
            aws_sdk_dynamodb::config::Credentials::new(access_key, secret_key, None, None, "engines");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(credentials)
            .timeout_config(timeouts())
            .retry_config(retries())
            .load()
            .await;
        Self { config, endpoints: Some(endpoints) }
    }

    /// What the clients are made of, for those that are made elsewhere.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The store over these clients.
    pub fn store(&self, names: Names) -> Store {
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(&self.config);
        let mut s3 = aws_sdk_s3::config::Builder::from(&self.config);
        if let Some(endpoints) = &self.endpoints {
            // Several platforms may stand in one process: an outage of one leaves the others their retries.
            let own = RetryPartition::custom("engines").build();
            dynamodb = dynamodb.endpoint_url(&endpoints.dynamodb).retry_partition(own);
            s3 = s3.endpoint_url(&endpoints.s3).force_path_style(true);
        }
        Store::new(
            aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            aws_sdk_s3::Client::from_conf(s3.build()),
            names,
        )
    }

    /// A client of SQS.
    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        let mut sqs = aws_sdk_sqs::config::Builder::from(&self.config);
        if let Some(endpoints) = &self.endpoints {
            sqs = sqs.endpoint_url(&endpoints.sqs);
        }
        aws_sdk_sqs::Client::from_conf(sqs.build())
    }
}
