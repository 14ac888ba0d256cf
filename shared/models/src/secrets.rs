//! The providers' keys, looked up by name at each call.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use aws_types::SdkConfig;
use domain::Clock;
use serde_json::Value;

use crate::CallError;

/// How long a key from Secrets Manager is used without asking again.
pub(crate) const KEPT: Duration = Duration::from_mins(5);

type LookUp = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A look-up of keys. It shows nothing of what it holds.
#[derive(Clone)]
pub struct Secrets(Source);

#[derive(Clone)]
enum Source {
    Given(Arc<LookUp>),
    Manager(Arc<Manager>),
}

impl Secrets {
    /// Keys from wherever the caller keeps them.
    pub fn new(look_up: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Source::Given(Arc::new(look_up)))
    }

    /// Keys from Secrets Manager, by their names or ARNs. Each is kept in memory for five minutes of `clock`.
    pub fn manager(config: &SdkConfig, clock: Arc<dyn Clock>) -> Self {
        let client = Client::new(config);
        Self(Source::Manager(Arc::new(Manager { client, clock, known: Mutex::default() })))
    }

    /// The key of this name; an empty one counts as missing. A secret is the key itself, or a JSON object that has
    /// it as `api_key` or `key`.
    pub(crate) async fn get(&self, name: &str) -> Result<String, CallError> {
        let secret = match &self.0 {
            Source::Given(look_up) => look_up(name),
            // Boxed, for it is large, and asked for every five minutes at most.
            Source::Manager(manager) => Box::pin(manager.get(name)).await?,
        };
        let missing = || CallError::MissingSecret { name: name.to_owned() };
        let secret = secret.ok_or_else(missing)?;
        let key = match serde_json::from_str(&secret) {
            Ok(Value::Object(fields)) => {
                let key = fields.get("api_key").or_else(|| fields.get("key")).and_then(Value::as_str);
                let nameless = || {
                    CallError::misconfigured(format!("the secret `{name}` has no text `api_key` or `key`"))
                };
                key.ok_or_else(nameless)?.trim().to_owned()
            }
            _ => secret.trim().to_owned(),
        };
        if key.is_empty() { Err(missing()) } else { Ok(key) }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

struct Manager {
    client: Client,
    clock: Arc<dyn Clock>,
    /// Secrets, and when they were asked for.
    known: Mutex<HashMap<String, (Duration, String)>>,
}

impl Manager {
    async fn get(&self, name: &str) -> Result<Option<String>, CallError> {
        let now = self.clock.monotonic();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some((_, secret)) = known.filter(|(since, _)| now.saturating_sub(*since) < KEPT) {
            return Ok(Some(secret));
        }
        let found = match self.client.get_secret_value().secret_id(name).send().await {
            Ok(found) => found.secret_string,
            Err(error) => return missing(name, error),
        };
        let Some(secret) = found else {
            return Err(CallError::misconfigured(format!("the secret `{name}` is not text")));
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), (now, secret.clone()));
        Ok(Some(secret))
    }
}

/// `None` where the secret is not there. What the role or the secret forbids stays so; all else may pass.
fn missing(name: &str, error: SdkError<GetSecretValueError>) -> Result<Option<String>, CallError> {
    if error.as_service_error().is_some_and(GetSecretValueError::is_resource_not_found_exception) {
        return Ok(None);
    }
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().unwrap_or_default();
    match status {
        Some(400..=428 | 430..=499) if !code.contains("Throttling") => {
            Err(CallError::misconfigured(format!(
                "the secret `{name}` cannot be read ({code}); allow the function's role to read it, or change the \
             model's `secret_name`"
            )))
        }
        _ => Err(CallError::SecretUnavailable { name: name.to_owned(), source: error.into() }),
    }
}

#[cfg(test)]
mod tests;
