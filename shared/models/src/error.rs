//! What can go wrong with a call, and whether trying again can help.

use std::time::Duration;

use domain::{Error, ErrorKind, model::Provider};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a call brought no completion.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// 429: too many calls or tokens.
    #[error("The model's provider is over its rate limit.")]
    Throttled {
        /// How long the provider asks us to wait.
        retry_after: Option<Duration>,
    },
    /// No answer, half an answer, or 5xx.
    #[error("The model's provider does not answer: {reason}.")]
    Unavailable {
        /// What happened, in words.
        reason: String,
        /// What the HTTP client saw.
        #[source]
        source: Option<Source>,
    },
    /// An answer that will be the same the next time.
    #[error("The model's provider refused the call with status {status}: {message}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The provider's own words, cut where long.
        message: String,
    },
    /// The key is not there.
    #[error(
        "The provider's key `{name}` is missing. Put it into Secrets Manager (locally: into the environment) under \
         this name, or change the model's `secret_name`."
    )]
    MissingSecret {
        /// Its name in Secrets Manager.
        name: String,
    },
    /// The entry or the key cannot make a call.
    #[error("The model's catalogue entry cannot be used: {detail}")]
    Misconfigured {
        /// What is wrong with it.
        detail: String,
    },
    /// The provider joins later.
    #[error("The provider `{provider}` is not supported yet; `openai` and compatible services are.")]
    NotSupported {
        /// The provider.
        provider: Provider,
    },
}

impl CallError {
    /// Whether the failure is the provider's doing, so that the same call may succeed later.
    pub fn transient(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unavailable { .. })
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        let kind = if error.transient() { ErrorKind::Provider } else { ErrorKind::Invalid };
        let told = Self::new(kind, error.to_string());
        match error {
            CallError::Unavailable { source: Some(source), .. } => told.caused_by(source),
            _ => told,
        }
    }
}
