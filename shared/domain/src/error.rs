//! The one error type of the platform.
//!
//! An error says what went wrong to the *caller* (`detail`, `problems`, `facts`) and keeps its cause for the *log*
//! (`source`). It is mapped to HTTP once, in `web`, and logged once, by whoever ends the request or the record.

use std::fmt;

use serde::Serialize;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What kind of thing went wrong. Each kind is one problem type of the API: its slug and status are fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The body is not JSON at all.
    MalformedJson,
    /// No key, a wrong one, an expired or revoked one.
    Unauthenticated,
    /// A right key whose role does not reach.
    Forbidden,
    /// The thing does not exist, or belongs to a team that the key may not see: the two must look alike.
    NotFound,
    /// No route has this path.
    NoSuchRoute,
    /// The route exists, the method does not.
    MethodNotAllowed,
    /// No prompt of this name or id is visible to the key.
    NoSuchPrompt,
    /// The prompt has no version in this environment.
    NotLive,
    /// The prompt is archived.
    Archived,
    /// The name belongs to another prompt of the team, now or in the past.
    NameTaken,
    /// The version was edited from one that is not the newest any more.
    NewerVersion,
    /// The ref moved since the caller looked.
    Moved,
    /// The ref has not reached the revision that the caller demands.
    RevisionNotReached,
    /// The gate wants an evaluation and there is none that counts.
    NotEvaluated,
    /// The gate's evaluation failed.
    GateFailed,
    /// The evaluation was too close to call: a person decides.
    ReviewNeeded,
    /// The evaluation was made against something that is not current any more.
    EvidenceStale,
    /// The gate wants the version to be live in `staging` first.
    StagingNeeded,
    /// The gate wants another releaser's approval.
    ApprovalNeeded,
    /// An experiment or a canary splits the traffic of the environment.
    ExperimentRunning,
    /// The environment is locked.
    Locked,
    /// The new version drops, retypes or newly requires a variable that callers rely on.
    VariablesIncompatible,
    /// Nothing to roll back to, or a target that was never live and never passed.
    NoRollbackTarget,
    /// The thing's present state does not allow this.
    Conflict,
    /// A secret was made for this idempotency key and is shown only once.
    SecretNotRepeated,
    /// The idempotency key was used with another body.
    IdempotencyMismatch,
    /// The body is too large.
    TooLarge,
    /// The URL is too long.
    UrlTooLong,
    /// The body's media type is not the one that the route takes.
    UnsupportedMediaType,
    /// A field is unknown, of a wrong type, out of range, or not enforced yet.
    Invalid,
    /// The template does not render with these values, within the bounds.
    NotRendered,
    /// Too many writes from one key.
    TooManyRequests,
    /// Another writer kept winning, for longer than we try.
    Contended,
    /// Something that we depend on does not answer.
    Unavailable,
    /// The model's provider failed.
    Provider,
    /// A defect of ours, or data that should not exist.
    Internal,
}

impl ErrorKind {
    /// Every kind, for the tests and the API description.
    pub const ALL: [Self; 36] = [
        Self::MalformedJson,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::NoSuchRoute,
        Self::MethodNotAllowed,
        Self::NoSuchPrompt,
        Self::NotLive,
        Self::Archived,
        Self::NameTaken,
        Self::NewerVersion,
        Self::Moved,
        Self::RevisionNotReached,
        Self::NotEvaluated,
        Self::GateFailed,
        Self::ReviewNeeded,
        Self::EvidenceStale,
        Self::StagingNeeded,
        Self::ApprovalNeeded,
        Self::ExperimentRunning,
        Self::Locked,
        Self::VariablesIncompatible,
        Self::NoRollbackTarget,
        Self::Conflict,
        Self::SecretNotRepeated,
        Self::IdempotencyMismatch,
        Self::TooLarge,
        Self::UrlTooLong,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::NotRendered,
        Self::TooManyRequests,
        Self::Contended,
        Self::Unavailable,
        Self::Provider,
        Self::Internal,
    ];

    /// Whether the same call may succeed a moment later with nothing changed by the caller.
    pub fn retryable(self) -> bool {
        matches!(self, Self::TooManyRequests | Self::Contended | Self::Unavailable | Self::Provider)
    }
}

/// One field of the input that is wrong: a JSON pointer (RFC 6901) and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// Where in the input, as a JSON pointer; a query parameter is `/name`.
    pub pointer: String,
    /// What is wrong there and what would be right.
    pub detail: String,
}

/// An error of the platform.
///
/// `Display` says this layer's own words only; the cause is behind [`std::error::Error::source`].
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    detail: String,
    problems: Vec<FieldProblem>,
    facts: serde_json::Map<String, serde_json::Value>,
    source: Option<Source>,
}

impl Error {
    /// An error with the words that the caller will read: what is wrong and what to do.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: detail.into(),
            problems: Vec::new(),
            facts: serde_json::Map::new(),
            source: None,
        }))
    }

    /// Input that breaks a rule at one place.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::new(ErrorKind::Invalid, detail.clone()).at(pointer, detail)
    }

    /// Input that breaks rules at several places; all are reported together.
    ///
    /// Returns `Ok` when there is no problem, so that a validator can end with it.
    pub fn check(problems: Vec<FieldProblem>) -> Result<()> {
        match problems.as_slice() {
            [] => Ok(()),
            [only] => Err(Self::invalid(only.pointer.clone(), only.detail.clone())),
            [first, rest @ ..] => {
                let detail = format!("{} (and {} more, see errors)", first.detail, rest.len());
                let mut error = Self::new(ErrorKind::Invalid, detail);
                error.0.problems = problems;
                Err(error)
            }
        }
    }

    /// A defect, or data that should not exist. The caller sees no internal text; the log sees the cause.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Internal, "An error on our side. It is logged under this request's id.")
            .caused_by(source)
    }

    /// A dependency that does not answer.
    pub fn unavailable(what: &str, source: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Unavailable, format!("{what} does not answer at the moment. Try again."))
            .caused_by(source)
    }

    /// The thing does not exist, or must look as if it did not.
    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("No such {what} is visible to this key."))
    }

    /// Names one wrong place.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.problems.push(FieldProblem { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// Says that the wrong places are inside of a member of the input, such as `/draft`.
    #[must_use]
    pub fn within(mut self, member: &str) -> Self {
        self.0.problems.iter_mut().for_each(|problem| problem.pointer.insert_str(0, member));
        self
    }

    /// Adds a member to the problem document, for programs to read.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the caller reads.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The wrong places in the input.
    pub fn problems(&self) -> &[FieldProblem] {
        &self.0.problems
    }

    /// Further members of the problem document.
    pub fn facts(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0.facts
    }

    /// See [`ErrorKind::retryable`].
    pub fn retryable(&self) -> bool {
        self.0.kind.retryable()
    }

    /// This error and its causes in one line, for the log.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
