//! Trying a version or a draft on a model, at once.

use std::time::Duration;

use domain::{
    Caller, Error, ErrorKind, KeyRole, Result, VersionId,
    content::Content,
    model::ModelEntry,
    money::Usd,
    template::{Compiled, Rendered, Values},
    version::NewVersion,
};
use models::{Completion, Request};

use crate::Registry;

/// How long a trial may take: nothing runs longer in a request.
const TIME: Duration = Duration::from_secs(25);

/// How much of that it waits for its turn, where the model has a budget: the rest has to do for the model.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is tried.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A version that exists.
    Version(VersionId),
    /// Something that nobody has saved.
    Draft(Box<NewVersion>),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// What the model answered.
    pub output: String,
    /// What it was sent.
    pub rendered: Rendered,
    /// The model of the catalogue.
    pub model_id: String,
    /// How long it took, in ms.
    pub latency_ms: u64,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// What it cost.
    pub cost_usd: Usd,
}

impl Registry {
    /// Renders a version with values, as resolving it would.
    pub async fn render(&self, caller: &Caller, version: VersionId, values: &Values) -> Result<Rendered> {
        let loaded = self.compiled_version(caller, version).await?;
        loaded.compiled.render(values)
    }

    /// Renders and calls the model.
    pub async fn try_out(
        &self,
        caller: &Caller,
        subject: &Subject,
        values: &Values,
        model_id: Option<&str>,
    ) -> Result<Trial> {
        caller.require(KeyRole::Resolver)?;
        let content = match subject {
            Subject::Version(version) => self.version(caller, *version).await?.version.content,
            Subject::Draft(draft) => draft_content(draft, model_id)?,
        };
        let model = self.model(model_id.unwrap_or(&content.model_id)).await?;
        let rendered = Compiled::new(&content)?.render(values)?;
        let request = Request {
            messages: &rendered.messages,
            temperature: content.temperature,
            max_tokens: content.max_tokens,
            params: &content.params,
        };
        let (completion, latency) = self.called(&model, &request).await?;
        Ok(Trial {
            cost_usd: model.cost(completion.input_tokens, completion.output_tokens),
            output: completion.output,
            rendered,
            model_id: model.model_id,
            latency_ms: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            input_tokens: completion.input_tokens,
            output_tokens: completion.output_tokens,
        })
    }

    /// Calls a model when it is its turn, and says how long the call itself took.
    async fn called(&self, model: &ModelEntry, request: &Request<'_>) -> Result<(Completion, Duration)> {
        let clock = &self.sources.clock;
        let until = clock.monotonic() + TIME;
        let leave = self.leave(model, PATIENCE).await?.ok_or_else(|| over_budget(model))?;
        let started = clock.monotonic();
        let left = until.saturating_sub(started);
        let called = tokio::time::timeout(left, self.models.call(model, request)).await;
        let took = clock.monotonic().saturating_sub(started);
        self.return_leave(leave).await;
        Ok((called.map_err(|_| too_slow())??, took))
    }
}

fn over_budget(model: &ModelEntry) -> Error {
    let detail = format!(
        "The budget of `{}` is used up: it had no room for another call within {} s. Try again.",
        model.model_id,
        PATIENCE.as_secs()
    );
    Error::new(ErrorKind::TooManyRequests, detail)
}

fn too_slow() -> Error {
    let seconds = TIME.as_secs();
    let detail = format!(
        "The model was not done in the {seconds} s that a request may take; an evaluation waits longer."
    );
    Error::new(ErrorKind::Provider, detail)
}

fn draft_content(draft: &NewVersion, model_id: Option<&str>) -> Result<Content> {
    let model_id = draft.model_id.as_deref().or(model_id);
    let model_id =
        model_id.ok_or_else(|| Error::invalid("/model_id", "Say on which model to try it: `model_id`."))?;
    draft.content(model_id.to_owned()).map_err(|error| error.within("/draft"))
}
