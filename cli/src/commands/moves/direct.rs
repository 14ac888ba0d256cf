//! Rolling back by invoking the Lambda function, where nothing in front of it works.

use clap::Args;
use client::moves::Rollback;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    aws::{Aws, Question, segment},
    failure::{Failure, Result},
};

/// How the function is reached.
#[derive(Args)]
pub struct Direct {
    /// Invoke the Lambda function, with this machine's AWS credentials
    #[arg(long, requires = "reason")]
    pub direct: bool,
    /// The function's name or ARN
    #[arg(long, env = "CUECARD_ROLLBACK_FUNCTION", value_name = "NAME")]
    function: Option<String>,
    /// Its region; else that of the AWS settings
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Where AWS is, for tests
    #[arg(long, env = "CUECARD_AWS_ENDPOINT", hide = true)]
    endpoint: Option<String>,
}

impl Direct {
    /// Rolls back, and returns what the function answered.
    pub async fn roll_back<T: DeserializeOwned>(
        &self,
        prompt: &str,
        wish: &Rollback,
        api_key: Option<&str>,
    ) -> Result<T> {
        let function = self.function.as_deref();
        let function = function.ok_or_else(|| Failure::Usage("Which function? Say --function".to_owned()))?;
        let mut event = json!({ "prompt": prompt, "environment": wish.environment, "reason": wish.reason });
        for (name, value) in [
            ("target_version_id", json!(wish.target_version_id)),
            ("expected_revision", json!(wish.expected_revision)),
            ("api_key", json!(api_key)),
        ] {
            if !value.is_null() {
                event[name] = value;
            }
        }
        let aws = Aws::connect(self.region.clone(), self.endpoint.clone()).await?;
        let path = format!("/2015-03-31/functions/{}/invocations", segment(function));
        let question = Question::new("lambda", Method::POST, path).json(&event);
        answer_of(&aws.ask(question).await?)
    }
}

/// The function's answer has the status of the HTTP route's, and the problem document where it is a refusal.
fn answer_of<T: DeserializeOwned>(answer: &Value) -> Result<T> {
    match answer["status"].as_u64() {
        Some(200) => serde_json::from_value(answer.clone())
            .map_err(|error| Failure::Failed(format!("The function answered something else: {error}"))),
        Some(_) => {
            let problem = serde_json::from_value(answer.clone())
                .map_err(|error| Failure::Failed(format!("The function answered something else: {error}")))?;
            Err(client::Error::Refused(Box::new(problem)).into())
        }
        // Lambda's own words: the function crashed or timed out.
        None => Err(Failure::Failed(format!("The function failed: {}", answer["errorMessage"]))),
    }
}
