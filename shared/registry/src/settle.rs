//! Making a change happen among other writers.

use std::time::Duration;

use domain::{Error, ErrorKind, Result};
use store::{Change, CommitError, Slot};
use tokio::time::Instant;

use crate::{Act, Made, Registry};

/// What a look at the world came to.
pub enum Step<T> {
    /// This has to be written, and then `T` is so.
    Commit(Box<Change>, T),
    /// It is so already: there is nothing to write.
    Done(T),
}

impl<T> Step<T> {
    /// This has to be written, and then `value` is so.
    pub fn commit(change: Change, value: T) -> Self {
        Self::Commit(Box::new(change), value)
    }

    /// The same, remembered under the act's idempotency key, if it has one.
    pub fn once(mut self, act: &Act, status: u16, made: impl std::fmt::Display) -> Result<Self> {
        if let (Some(mark), Self::Commit(change, _)) = (&act.once, &mut self) {
            change.once(mark, status, made)?;
        }
        Ok(self)
    }

    /// The same with another value.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Commit(change, value) => Step::Commit(change, with(value)),
            Self::Done(value) => Step::Done(with(value)),
        }
    }
}

/// How often a writer tries at least, even where that takes longer than its patience: a slow table is no contention.
const LEAST_TRIES: u32 = 3;

/// How long a writer tries before it tells its caller to come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest wait between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl Registry {
    /// Commits what `attempt` builds. When somebody else was first, it is built anew on what there is then.
    ///
    /// `replay` finds, by its id, what the idempotency key has made before.
    pub async fn settle<T, A, R>(
        &self,
        act: &Act,
        attempt: impl Fn() -> A,
        replay: impl FnOnce(String) -> R,
    ) -> Result<Made<T>>
    where
        A: Future<Output = Result<Step<T>>>,
        R: Future<Output = Result<T>>,
    {
        if let Some(made) = self.made_before(act).await? {
            return Ok(Made { value: replay(made).await?, replayed: true });
        }
        let deadline = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(4);
        let mut tries = 0;
        loop {
            tries += 1;
            let step = attempt().await;
            // Refused, or so already: perhaps because the same request was made a moment ago.
            if !matches!(step, Ok(Step::Commit(..)))
                && let Some(made) = self.made_before(act).await?
            {
                return Ok(Made { value: replay(made).await?, replayed: true });
            }
            let (change, value) = match step? {
                Step::Commit(change, value) => (change, value),
                Step::Done(value) => return Ok(Made { value, replayed: false }),
            };
            match self.store.commit(*change).await {
                Ok(()) => return Ok(Made { value, replayed: false }),
                Err(CommitError::Failed(error)) => return Err(error),
                Err(CommitError::Lost(Slot::Idempotency)) => {
                    if let Some(made) = self.made_before(act).await? {
                        return Ok(Made { value: replay(made).await?, replayed: true });
                    }
                }
                Err(CommitError::Lost(_) | CommitError::Busy) => {}
            }
            if tries >= LEAST_TRIES && Instant::now() >= deadline {
                return Err(contended());
            }
            tokio::time::sleep(self.sources.jitter(Duration::from_millis(1), pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The id of what this act has made before, if it carries an idempotency key that was used.
    pub async fn made_before(&self, act: &Act) -> Result<Option<String>> {
        let Some(mark) = &act.once else { return Ok(None) };
        let Some(record) = self.store.idempotency(mark, self.sources.now()).await? else { return Ok(None) };
        if record.request_sha256 == mark.request_sha256 {
            return Ok(Some(record.made));
        }
        Err(Error::new(
            ErrorKind::IdempotencyMismatch,
            "This Idempotency-Key was used with another body. Use a new key for a new request.",
        )
        .at("/Idempotency-Key", "was used with another body"))
    }
}

/// Others kept being first.
pub fn contended() -> Error {
    Error::new(ErrorKind::Contended, "Too many changes at the same moment. Nothing was changed; try again.")
}

/// What an idempotency key has made before, which has a secret; `member` says what it is, `deed` what was done to it,
/// and `again` how to get another secret.
pub(crate) fn secret_not_repeated(member: &str, made: &str, deed: &str, again: &str) -> Error {
    let detail =
        format!("{made} was {deed} by this request before, and its secret is shown only once. {again}");
    Error::new(ErrorKind::SecretNotRepeated, detail).fact(member, made)
}
