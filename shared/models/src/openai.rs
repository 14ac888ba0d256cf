//! `OpenAI`'s chat completions and embeddings, as many providers and servers speak them.

use domain::model::ModelEntry;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{
    CallError, Completion, Embedded, Request,
    http::{Http, answer},
};

/// The key that is used when an entry names no address.
pub(crate) const PUBLIC_SECRET: &str = "OPENAI_API_KEY";

pub(crate) async fn call(
    http: &Http,
    model: &ModelEntry,
    request: &Request<'_>,
) -> Result<Completion, CallError> {
    let body = body(model.api_model(), request);
    completion(post(http, model, "/chat/completions", &body, "a chat completion").await?)
}

pub(crate) async fn embed(http: &Http, model: &ModelEntry, texts: &[&str]) -> Result<Embedded, CallError> {
    let body = json!({ "model": model.api_model(), "input": texts, "encoding_format": "float" });
    embedded(post(http, model, "/embeddings", &body, "a list of embeddings").await?, texts.len())
}

async fn post<T: DeserializeOwned>(
    http: &Http,
    model: &ModelEntry,
    path: &str,
    body: &impl Serialize,
    what: &str,
) -> Result<T, CallError> {
    let mut call = http.post(model, path)?.json(body);
    let key = http.key(model, PUBLIC_SECRET).await?;
    if let Some(key) = &key {
        call = call.bearer_auth(key);
    }
    answer(call, key.as_deref(), what).await
}

/// The body of a call. `params` may say anything but what makes the call ours: who is asked, what, and that the
/// answer comes in one piece.
fn body(api_model: &str, request: &Request<'_>) -> Map<String, Value> {
    let mut body = request.params.clone();
    body.remove("stream");
    body.remove("stream_options");
    body.insert("model".to_owned(), json!(api_model));
    body.insert("messages".to_owned(), json!(request.messages));
    body.entry("temperature").or_insert_with(|| json!(request.temperature));
    // Newer models take this one instead, and refuse both together.
    if !body.contains_key("max_completion_tokens") {
        body.entry("max_tokens").or_insert_with(|| json!(request.max_tokens));
    }
    body
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    model: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<Value>>,
}

#[derive(Deserialize, Default)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

fn completion(answer: Answer) -> Result<Completion, CallError> {
    let Some(Choice { message }) = answer.choices.into_iter().next() else {
        return Err(CallError::rejected(200, "the answer has no choices"));
    };
    let spoken = message.content.into_iter().chain(message.refusal).find(|text| !text.is_empty());
    let calls = message.tool_calls.filter(|calls| !calls.is_empty());
    let usage = answer.usage.unwrap_or_default();
    Ok(Completion {
        output: spoken.or_else(|| calls.map(|calls| json!(calls).to_string())).unwrap_or_default(),
        input_tokens: usage.prompt_tokens,
        output_tokens: usage.completion_tokens,
        model: answer.model,
    })
}

#[derive(Deserialize)]
struct Embeddings {
    data: Vec<Embedding>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Embedding {
    index: usize,
    embedding: Vec<f64>,
}

/// The vectors in the order of their texts, whatever the order of the answer.
fn embedded(answer: Embeddings, texts: usize) -> Result<Embedded, CallError> {
    let mut data = answer.data;
    data.sort_by_key(|one| one.index);
    if !data.iter().map(|one| one.index).eq(0..texts) {
        return Err(CallError::rejected(200, "the answer does not have one vector for each text"));
    }
    let vectors: Vec<_> = data.into_iter().map(|one| one.embedding).collect();
    if vectors.iter().any(|vector| vector.is_empty() || vector.len() != vectors[0].len()) {
        return Err(CallError::rejected(200, "the answer's vectors are empty or not of one length"));
    }
    Ok(Embedded { vectors, input_tokens: answer.usage.unwrap_or_default().prompt_tokens })
}

#[cfg(test)]
mod tests;
