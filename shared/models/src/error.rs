//! What can go wrong with a call, and whether trying again can help.

use std::time::Duration;

use domain::{Error, ErrorKind, model::Provider};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// How much of a provider's words is passed on, in characters.
const MESSAGE_CHARS: usize = 500;

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
        /// How long the provider asks us to wait.
        retry_after: Option<Duration>,
        /// What the client saw.
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
    /// 401 or 403: the key is wrong or revoked, or may not call this model.
    #[error("The model's provider does not accept our key or role (status {status}): {message}")]
    NotLetIn {
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
    /// Secrets Manager does not answer.
    #[error("The provider's key `{name}` cannot be read at the moment: Secrets Manager does not answer.")]
    SecretUnavailable {
        /// The key's name in Secrets Manager.
        name: String,
        /// What the client saw.
        #[source]
        source: Source,
    },
    /// The model's entry, its key or the version's parameters make no call that its provider takes.
    #[error("The model cannot be called like this: {detail}")]
    Misconfigured {
        /// What is wrong and what would be right.
        detail: String,
    },
    /// The provider has no such thing, or it is not called here.
    #[error(
        "The provider `{provider}` makes no embeddings here; name a model of `openai` or of a compatible service."
    )]
    NotSupported {
        /// The provider.
        provider: Provider,
    },
}

impl CallError {
    /// Whether the failure will pass, so that the same call may succeed later.
    pub fn transient(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unavailable { .. } | Self::SecretUnavailable { .. })
    }

    /// Whether what was asked has no part in it: the failure will pass, or we were not let in.
    pub fn says_nothing(&self) -> bool {
        self.transient() || matches!(self, Self::NotLetIn { .. } | Self::MissingSecret { .. })
    }

    /// How long the provider asks us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn unavailable(reason: &str, source: Source) -> Self {
        Self::Unavailable { reason: reason.to_owned(), retry_after: None, source: Some(source) }
    }

    pub(crate) fn overloaded(status: u16, retry_after: Option<Duration>) -> Self {
        Self::Unavailable { reason: format!("status {status}"), retry_after, source: None }
    }

    pub(crate) fn rejected(status: u16, message: &str) -> Self {
        let message = message.chars().take(MESSAGE_CHARS).collect();
        match status {
            401 | 403 => Self::NotLetIn { status, message },
            _ => Self::Rejected { status, message },
        }
    }

    pub(crate) fn misconfigured(detail: impl Into<String>) -> Self {
        Self::Misconfigured { detail: detail.into() }
    }
}

/// Reads `Retry-After` in seconds; its other form, a date, would need a clock that agrees with the provider's.
pub(crate) fn retry_after(header: &str) -> Option<Duration> {
    header.trim().parse().ok().map(Duration::from_secs)
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        let kind = if error.transient() { ErrorKind::Provider } else { ErrorKind::Invalid };
        let told = Self::new(kind, error.to_string());
        match error {
            CallError::Unavailable { source: Some(source), .. }
            | CallError::SecretUnavailable { source, .. } => told.caused_by(source),
            _ => told,
        }
    }
}
