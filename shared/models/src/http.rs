//! The HTTP client of the providers that are called with a key: where it goes, and what it reads.

use std::{error::Error as _, sync::Arc, time::Duration};

use domain::{Result, model::ModelEntry, place::Places};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, error::Category};

use crate::{
    CallError, Secrets,
    error::retry_after,
    public::{self, NotPublic},
};

/// The longest answer that is read.
pub(crate) const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The client: a key goes nowhere but where the catalogue says.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client,
    loopback: bool,
    hosts: Option<Arc<[String]>>,
    secrets: Secrets,
}

impl Http {
    pub(crate) fn new(timeout: Duration, places: Places<'_>, secrets: Secrets) -> Result<Self> {
        let client = public::client(timeout, places.loopback)?;
        Ok(Self { client, loopback: places.loopback, hosts: places.hosts.map(Into::into), secrets })
    }

    /// Where calls may go.
    pub(crate) fn places(&self) -> Places<'_> {
        Places { loopback: self.loopback, hosts: self.hosts.as_deref() }
    }

    /// The model's address, if calls may go there.
    pub(crate) fn check<'a>(&self, model: &'a ModelEntry) -> Result<&'a str, CallError> {
        let address = model.address().unwrap_or_default();
        self.places().check(address).map_err(CallError::misconfigured)?;
        Ok(address.trim_end_matches('/'))
    }

    /// Begins a call of the model's service at this path below its address.
    pub(crate) fn post(&self, model: &ModelEntry, path: &str) -> Result<RequestBuilder, CallError> {
        Ok(self.client.post(format!("{}{path}", self.check(model)?)))
    }

    /// The model's key: the one it names, `public` at the provider's own address, else none.
    pub(crate) async fn key(&self, model: &ModelEntry, public: &str) -> Result<Option<String>, CallError> {
        let public = model.base_url.is_none().then_some(public);
        match model.secret_name.as_deref().or(public) {
            Some(name) => self.secrets.get(name).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Sends a call and reads its answer, `what` by name. Without `key`, which some providers repeat, in what is told.
pub(crate) async fn answer<T: DeserializeOwned>(
    call: RequestBuilder,
    key: Option<&str>,
    what: &str,
) -> Result<T, CallError> {
    let response = call.send().await.map_err(failed)?;
    let status = response.status();
    let wait = response.headers().get(header::RETRY_AFTER).and_then(|wait| retry_after(wait.to_str().ok()?));
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(CallError::Throttled { retry_after: wait });
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return Err(CallError::overloaded(status.as_u16(), wait));
    }
    let body = bounded_body(response).await?;
    if !status.is_success() {
        return Err(CallError::rejected(status.as_u16(), &message(&body, key)));
    }
    serde_json::from_slice(&body).map_err(|error| {
        match error.classify() {
            Category::Eof | Category::Io => CallError::unavailable("its answer was cut", error.into()),
            // Something before it speaks, such as a page that says that there is maintenance.
            Category::Syntax => CallError::unavailable("its answer is no JSON", error.into()),
            Category::Data => {
                CallError::rejected(status.as_u16(), &format!("the answer is not {what} ({error})"))
            }
        }
    })
}

async fn bounded_body(mut response: Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            let message = format!("the answer is longer than {MAX_BODY_BYTES} bytes");
            return Err(CallError::rejected(response.status().as_u16(), &message));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a refusal says: `error.message` where it has the usual shape, else its text.
fn message(body: &[u8], key: Option<&str>) -> String {
    let shaped = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|body| body.pointer("/error/message").and_then(Value::as_str).map(str::to_owned));
    let text = shaped.unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned());
    match key {
        Some(key) => text.replace(key, "…"),
        None => text,
    }
}

/// A failure below HTTP. A request that could not even be built, or must not be sent, is ours; all others may pass.
fn failed(error: reqwest::Error) -> CallError {
    if error.is_builder() {
        return CallError::misconfigured("its key or address does not make a valid request");
    }
    if let Some(private) = not_public(&error) {
        return CallError::misconfigured(format!("{private}; change its `base_url`"));
    }
    let reason = if error.is_timeout() {
        "the call took too long"
    } else if error.is_connect() {
        "no connection"
    } else {
        "its answer was cut"
    };
    CallError::unavailable(reason, error.into())
}

/// The name that was not called, wherever in the chain of causes it is.
fn not_public(error: &reqwest::Error) -> Option<&NotPublic> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests;
