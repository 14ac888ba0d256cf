//! Anthropic's Messages API.
//!
//! It puts turns of one role that follow each other together by itself, so they go out as they are.

use domain::model::ModelEntry;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    CallError, Completion, Request,
    conversation::{Conversation, parameters, refuse},
    http::{Http, answer},
};

/// The key that is used when an entry names no address.
pub(crate) const PUBLIC_SECRET: &str = "ANTHROPIC_API_KEY";
const VERSION: &str = "2023-06-01";

/// The parameters that the API knows, besides those that make the call ours.
const PARAMETERS: [&str; 16] = [
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "metadata",
    "output_config",
    "service_tier",
    "stop_sequences",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];

pub(crate) async fn call(
    http: &Http,
    model: &ModelEntry,
    request: &Request<'_>,
) -> Result<Completion, CallError> {
    let body = body(model.api_model(), request)?;
    let mut call = http.post(model, "/v1/messages")?.header("anthropic-version", VERSION).json(&body);
    let key = http.key(model, PUBLIC_SECRET).await?;
    if let Some(key) = &key {
        let mut value = HeaderValue::from_str(key)
            .map_err(|_| CallError::misconfigured("its key has characters that no header can carry"))?;
        value.set_sensitive(true);
        call = call.header("x-api-key", value);
    }
    Ok(completion(answer(call, key.as_deref(), "a message").await?))
}

fn body(api_model: &str, request: &Request<'_>) -> Result<Map<String, Value>, CallError> {
    let conversation = Conversation::of(request.messages)?;
    let mut body = parameters(request);
    refuse("Anthropic", body.keys().filter(|name| !PARAMETERS.contains(&name.as_str())))?;
    if let Some(Value::Array(tools)) = body.get_mut("tools") {
        tools.iter_mut().for_each(rename_tool);
    }
    if let Some(choice) = body.get_mut("tool_choice") {
        rename_choice(choice);
    }
    body.insert("model".to_owned(), json!(api_model));
    body.insert("messages".to_owned(), json!(conversation.turns));
    if !conversation.instructions.is_empty() {
        body.insert("system".to_owned(), json!(conversation.instructions.join("\n\n")));
    }
    Ok(body)
}

/// A function as `OpenAI` describes it becomes a tool of Anthropic's; what is one already stays.
fn rename_tool(tool: &mut Value) {
    let Some(Value::Object(function)) = tool.get_mut("function").map(Value::take) else { return };
    let mut renamed = function;
    let schema = renamed.remove("parameters").unwrap_or_else(|| json!({ "type": "object" }));
    renamed.insert("input_schema".to_owned(), schema);
    *tool = Value::Object(renamed);
}

fn rename_choice(choice: &mut Value) {
    let renamed = match (choice.as_str(), choice.pointer("/function/name")) {
        (Some("required"), _) => json!({ "type": "any" }),
        (Some(named), _) => json!({ "type": named }),
        (None, Some(name)) => json!({ "type": "tool", "name": name }),
        (None, None) => return,
    };
    *choice = renamed;
}

#[derive(Deserialize)]
struct Answer {
    content: Vec<Value>,
    #[serde(default)]
    usage: Usage,
    #[serde(default)]
    model: Option<String>,
}

/// What was read from or written to the prompt cache is not in `input_tokens`.
#[derive(Deserialize, Default)]
struct Usage {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: u64,
}

fn completion(answer: Answer) -> Completion {
    let Answer { content, usage, model } = answer;
    let of_type =
        |kind: &'static str| content.iter().filter(move |block| block["type"].as_str() == Some(kind));
    let text: String = of_type("text").filter_map(|block| block["text"].as_str()).collect();
    let tools: Vec<_> = of_type("tool_use").collect();
    Completion {
        output: if text.is_empty() && !tools.is_empty() { json!(tools).to_string() } else { text },
        input_tokens: usage.input_tokens
            + usage.cache_creation_input_tokens.unwrap_or_default()
            + usage.cache_read_input_tokens.unwrap_or_default(),
        output_tokens: usage.output_tokens,
        model,
    }
}

#[cfg(test)]
mod tests;
