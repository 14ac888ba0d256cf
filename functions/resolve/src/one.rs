//! Resolving one prompt.

use std::pin::{Pin, pin};

use axum::{extract::State, http::HeaderMap, response::Response};
use cache::{Likely, Live, Pair};
use domain::{
    Caller, Environment, Error, Prompt, Result,
    allocation::{Former, Unit},
    content::Body,
    prompt::{archived, no_such_prompt, not_live},
    token::{Resolution, Signer, UnitKind, unit64},
};
use tokio::{join, try_join};
use web::{JsonBody, Path, Query, Resolver, Visitor};

use crate::{
    App,
    answer::{Answer, Resolved, SignedAnswer},
    ask::{Ask, AskBody, AskQuery, Fields},
    counts::Subject,
    serve::{Served, serve},
};

/// Resolves a prompt.
#[utoipa::path(get, path = "/api/resolve/{prompt}", tag = "resolve",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), AskQuery),
    responses((status = 200, body = SignedAnswer, description = "The resolved prompt"), (status = 304, description = "Unchanged"),
        (status = 400, description = "The variables are no JSON"),
        (status = 410, description = "The prompt is archived"), (status = 412, description = "The revision is not reached")))]
pub async fn by_path(
    State(app): State<App>,
    visitor: Visitor,
    Path(prompt, _): Path<String>,
    headers: HeaderMap,
    Query(ask): Query<AskQuery>,
) -> web::Result<Response> {
    app.respond(&headers, pin!(app.answer(&visitor, ask.ask(Some(prompt))))).await
}

/// Resolves a prompt; for variables that do not fit into a URL.
#[utoipa::path(post, path = "/api/resolve/{prompt}", tag = "resolve", request_body = AskBody,
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team.")),
    responses((status = 200, body = SignedAnswer, description = "The resolved prompt"), (status = 304, description = "Unchanged"),
        (status = 410, description = "The prompt is archived"), (status = 412, description = "The revision is not reached")))]
pub async fn by_path_with_body(
    State(app): State<App>,
    Resolver(caller): Resolver,
    Path(prompt, _): Path<String>,
    headers: HeaderMap,
    JsonBody(ask): JsonBody<AskBody>,
) -> web::Result<Response> {
    app.respond(&headers, pin!(app.resolve(&caller, ask.ask(Some(prompt))?, None, render))).await
}

/// Resolves a prompt by any name, also one with slashes and spaces.
#[utoipa::path(get, path = "/api/resolve", tag = "resolve", params(AskQuery),
    responses((status = 200, body = SignedAnswer, description = "The resolved prompt"), (status = 304, description = "Unchanged"),
        (status = 400, description = "The variables are no JSON"),
        (status = 410, description = "The prompt is archived"), (status = 412, description = "The revision is not reached")))]
pub async fn by_query(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    Query(ask): Query<AskQuery>,
) -> web::Result<Response> {
    app.respond(&headers, pin!(app.answer(&visitor, ask.ask(None)))).await
}

/// Resolves a prompt by any name; for variables that do not fit into a URL.
#[utoipa::path(post, path = "/api/resolve", tag = "resolve", request_body = AskBody,
    responses((status = 200, body = SignedAnswer, description = "The resolved prompt"), (status = 304, description = "Unchanged"),
        (status = 410, description = "The prompt is archived"), (status = 412, description = "The revision is not reached")))]
pub async fn by_body(
    State(app): State<App>,
    Resolver(caller): Resolver,
    headers: HeaderMap,
    JsonBody(ask): JsonBody<AskBody>,
) -> web::Result<Response> {
    app.respond(&headers, pin!(app.resolve(&caller, ask.ask(None)?, None, render))).await
}

impl App {
    /// Sends an answer, and counts it.
    async fn respond(
        &self,
        headers: &HeaderMap,
        answer: Pin<&mut impl Future<Output = Result<Answer>>>,
    ) -> web::Result<Response> {
        let answer = self.counts.beside(answer).await?;
        let served = answer.served.clone();
        let response = answer.respond(headers)?;
        self.counts.count(&served);
        Ok(response)
    }

    /// Looks at the key, and meanwhile reads what its holder most likely asks for. Whoever shows no live key is told
    /// that alone.
    async fn answer(&self, visitor: &Visitor, ask: Result<Ask>) -> Result<Answer> {
        let ahead = async {
            let (key_id, ask) = (visitor.key_id()?, ask.as_ref().ok()?);
            self.cache.likely_pair(key_id, &ask.prompt, &ask.environment).await
        };
        let (caller, ahead) = join!(visitor.enter(&self.doors), ahead);
        self.resolve(&caller?, ask?, ahead, render).await
    }

    /// Resolves: find, read (unless it was read ahead), render in the words of some door, sign.
    pub(crate) async fn resolve(
        &self,
        caller: &Caller,
        ask: Ask,
        ahead: Option<Likely>,
        view: impl Fn(&Live, &Served<'_>, &Ask) -> Result<Vec<u8>>,
    ) -> Result<Answer> {
        let prompt_id = self.cache.locate(caller, &ask.prompt).await?;
        let (signer, mut found) =
            try_join!(self.cache.signer(), self.cache.pair_or(ahead, prompt_id, &ask.environment))?;
        let continues = self.former(ask.former_token.as_deref()).await;
        // First of all, for a refusal too would tell a stranger that the prompt is there.
        if !found.value.team().is_some_and(|team| caller.sees(team)) {
            return Err(no_such_prompt());
        }
        if let Some(least) = ask.min_revision {
            found = self.cache.pair_at_least(found, prompt_id, &ask.environment, least).await?;
        }
        // Last of all reads, for each of them may have taken its time.
        let found = self.cache.still(found, prompt_id, &ask.environment).await?;
        let live = match found.value {
            Pair::Live(live) => live,
            Pair::NotLive { owner, .. } => return Err(why_not_live(owner.as_deref(), &ask.environment)),
        };
        if live.reference.archived {
            return Err(archived(live.reference.prompt_name.as_str()));
        }
        let nonce = self.sources.bytes();
        let served = serve(&live, &ask.unit, nonce, continues?);
        let body = view(&live, &served, &ask)?;
        let version_id = served.version.version.version_id;
        let token = self.sign(&signer, &live, served, (&ask.unit, nonce));
        let revision = live.reference.revision;
        let tagged = ask.unit.kind != UnitKind::Random;
        let served = Subject { live, version_id };
        Ok(Answer { body, tagged, token, revision, age: found.age, source: found.source, served })
    }

    fn sign(&self, signer: &Signer, live: &Live, served: Served<'_>, unit: (&Unit, [u8; 8])) -> String {
        let (Unit { kind, id }, nonce) = unit;
        let trial = served.assignment.as_ref().map(|assignment| assignment.trial.to_string());
        let unit64 = |unit| unit64(trial.as_deref().unwrap_or_default(), unit);
        let resolution = Resolution {
            prompt_id: live.reference.prompt_id,
            version_id: served.version.version.version_id,
            environment: live.reference.environment.clone(),
            unit64: id.as_deref().map_or(nonce, unit64),
            assignment: served.assignment,
            unit_kind: *kind,
            nonce,
            issued_at: self.sources.now(),
        };
        signer.sign(&resolution)
    }

    /// What a former answer's token says: it keeps a conversation on its arm. Where no trial runs there is no arm to
    /// keep, but a token that is none is a mistake of the caller all the same.
    async fn former(&self, token: Option<&str>) -> Result<Option<Former>> {
        let Some(token) = token else { return Ok(None) };
        let wrong = |error: String| {
            Error::invalid("/continue", format!("`continue` takes a resolution_token: {error}."))
        };
        let signer = self.cache.signer_of(token).await?;
        let signer =
            signer.ok_or_else(|| wrong("the token is not one of ours, or it was altered".to_owned()))?;
        let now = self.sources.now();
        let former = signer.verify(token, now).map_err(|error| wrong(error.to_string()))?;
        let age = now.since(former.issued_at).unwrap_or_default();
        Ok(former.assignment.map(|assignment| Former { assignment, age }))
    }
}

/// Room for what an answer says beside its texts, token included: an answer that has it is never moved in memory.
const BODY_BESIDE_TEXTS: usize = 1536;

/// What our own doors say.
pub(crate) fn render(live: &Live, served: &Served<'_>, ask: &Ask) -> Result<Vec<u8>> {
    let version = &served.version.version;
    let rendered = served.version.compiled.render(&ask.values)?;
    let content = &version.content;
    let settings = served.settings(live);
    let few_shot_examples: &[_] = match &content.body {
        Body::Text { few_shot_examples, .. } => few_shot_examples,
        Body::Messages(_) => &[],
    };
    let resolved = Resolved {
        prompt_id: version.prompt_id,
        name: live.reference.prompt_name.as_str(),
        environment: live.reference.environment.as_str(),
        version_id: version.version_id,
        version_number: version.number,
        resolved_text: (ask.fields != Some(Fields::Messages)).then_some(rendered.text.as_deref()),
        system_prompt: rendered.system_prompt.as_deref(),
        few_shot_examples,
        messages: (ask.fields != Some(Fields::Text)).then_some(rendered.messages.as_slice()),
        model_id: settings.model_id,
        temperature: settings.temperature,
        max_tokens: settings.max_tokens,
        params: &content.params,
        config: &content.config,
        experiment_id: served.assignment.as_ref().map(|assignment| assignment.trial.to_string()),
        variant: served.assignment.as_ref().map(|assignment| assignment.arm.as_str()),
        sticky: ask.unit.is_sticky(),
        ignored_variables: &rendered.ignored_variables,
        revision: live.reference.revision,
    };
    let texts = rendered.text.as_deref().map_or(0, str::len);
    let messages: usize = rendered.messages.iter().map(|message| message.content.len()).sum();
    let mut body = Vec::with_capacity(BODY_BESIDE_TEXTS + texts + messages);
    serde_json::to_writer(&mut body, &resolved).map_err(Error::internal)?;
    Ok(body)
}

fn why_not_live(owner: Option<&Prompt>, environment: &Environment) -> Error {
    let Some(owner) = owner else { return no_such_prompt() };
    if owner.archived_at.is_some() {
        return archived(owner.name.as_str());
    }
    not_live(owner.name.as_str(), environment)
}
