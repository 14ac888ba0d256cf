//! Amazon Bedrock's Converse API, called with the credentials of the process's role.

use std::time::Duration;

use aws_sdk_bedrockruntime::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::converse::{ConverseError, ConverseOutput},
    types::{
        ContentBlock, ConversationRole, InferenceConfiguration, Message, SystemContentBlock, TokenUsage,
    },
};
use aws_smithy_types::{Document, Number};
use aws_types::SdkConfig;
use domain::{
    content::{ChatMessage, Role},
    model::ModelEntry,
    place::Places,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    CallError, Completion, Request,
    conversation::{Conversation, parameters, refuse},
    error::retry_after,
    public::CONNECT_TIMEOUT,
};

/// What Converse has its own place for, and is not filled in here.
const NO_PLACE: [&str; 4] = ["response_format", "seed", "tool_choice", "tools"];

/// A client that tries once and waits as long as a model may take.
pub(crate) fn client(config: &SdkConfig, timeout: Duration) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .read_timeout(timeout)
        .operation_attempt_timeout(timeout)
        .operation_timeout(timeout)
        .build();
    let config = Builder::from(config).retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    Client::from_conf(config.build())
}

/// Refuses an entry that would be called elsewhere or with a key, and one that nobody here can call.
pub(crate) fn check<'a>(client: Option<&'a Client>, model: &ModelEntry) -> Result<&'a Client, CallError> {
    let checked = model.validate(Places::default());
    checked.map_err(|error| CallError::misconfigured(error.detail()))?;
    client.ok_or_else(|| {
        CallError::misconfigured(
            "Bedrock is called on AWS alone; here, name a model of `openai` or `anthropic`",
        )
    })
}

pub(crate) async fn call(
    client: &Client,
    model: &ModelEntry,
    request: &Request<'_>,
) -> Result<Completion, CallError> {
    let conversation = Conversation::of(request.messages)?;
    let (inference, others) = settings(request)?;
    let instructions =
        conversation.instructions.iter().map(|text| SystemContentBlock::Text((*text).to_owned()));
    let system: Vec<_> = instructions.collect();
    let call = client
        .converse()
        .model_id(model.api_model())
        .set_messages(Some(turns(&conversation.turns)?))
        .set_system((!system.is_empty()).then_some(system))
        .inference_config(inference)
        .set_additional_model_request_fields((!others.is_empty()).then(|| document(Value::Object(others))));
    completion(call.send().await.map_err(failed)?)
}

/// The turns. Converse wants the roles to alternate, so what one says in a row becomes one message.
fn turns(turns: &[&ChatMessage]) -> Result<Vec<Message>, CallError> {
    let message = |run: &[&ChatMessage]| {
        let role =
            if run[0].role == Role::Assistant { ConversationRole::Assistant } else { ConversationRole::User };
        let blocks = run.iter().map(|turn| ContentBlock::Text(turn.content.clone())).collect();
        Message::builder().role(role).set_content(Some(blocks)).build()
    };
    let runs = turns.chunk_by(|one, next| one.role == next.role).map(message);
    runs.collect::<Result<_, _>>().map_err(|error| CallError::misconfigured(error.to_string()))
}

/// The parameters that Converse takes for all models.
#[derive(Deserialize)]
struct Inference {
    max_tokens: Option<i32>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    stop_sequences: Option<Vec<String>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Converse's own parameters, and those that go to the model as they are: it refuses what it does not know.
fn settings(request: &Request<'_>) -> Result<(InferenceConfiguration, Map<String, Value>), CallError> {
    let parameters = parameters(request);
    refuse("Bedrock", parameters.keys().filter(|name| NO_PLACE.contains(&name.as_str())))?;
    let inference: Inference = serde_json::from_value(Value::Object(parameters)).map_err(|error| {
        CallError::misconfigured(format!("a parameter of the version is not what Bedrock takes ({error})"))
    })?;
    let configuration = InferenceConfiguration::builder()
        .set_max_tokens(inference.max_tokens)
        .set_temperature(inference.temperature)
        .set_top_p(inference.top_p)
        .set_stop_sequences(inference.stop_sequences)
        .build();
    Ok((configuration, inference.others))
}

fn document(value: Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(truth) => Document::Bool(truth),
        Value::String(text) => Document::String(text),
        Value::Array(items) => Document::Array(items.into_iter().map(document).collect()),
        Value::Object(fields) => {
            Document::Object(fields.into_iter().map(|(name, field)| (name, document(field))).collect())
        }
        Value::Number(number) => Document::Number(match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Number::PosInt(number),
            (None, Some(number)) => Number::NegInt(number),
            (None, None) => Number::Float(number.as_f64().unwrap_or_default()),
        }),
    }
}

fn completion(answer: ConverseOutput) -> Result<Completion, CallError> {
    let Some(message) = answer.output.as_ref().and_then(|output| output.as_message().ok()) else {
        return Err(CallError::rejected(200, "the answer has no message"));
    };
    let output =
        message.content.iter().filter_map(|block| block.as_text().ok()).map(String::as_str).collect();
    let count =
        |tokens: Option<i32>| tokens.and_then(|tokens| u64::try_from(tokens).ok()).unwrap_or_default();
    let of = |read: fn(&TokenUsage) -> Option<i32>| count(answer.usage.as_ref().and_then(read));
    Ok(Completion {
        output,
        // What was read from or written to the prompt cache is not in `input_tokens`.
        input_tokens: of(|usage| Some(usage.input_tokens))
            + of(|usage| usage.cache_read_input_tokens)
            + of(|usage| usage.cache_write_input_tokens),
        output_tokens: of(|usage| Some(usage.output_tokens)),
        model: None,
    })
}

fn failed(error: SdkError<ConverseError>) -> CallError {
    let response = error.raw_response();
    let status = response.map_or(0, |response| response.status().as_u16());
    let wait = response.and_then(|response| response.headers().get("retry-after")).and_then(retry_after);
    let reason = match &error {
        SdkError::ServiceError(refusal) if !(200..300).contains(&status) => {
            return refused(refusal.err(), status, wait);
        }
        SdkError::ConstructionFailure(_) => {
            return CallError::misconfigured("its name or parameters do not make a valid request of Bedrock");
        }
        SdkError::TimeoutError(_) => "the call took too long",
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "the call took too long",
        SdkError::DispatchFailure(_) => "no connection",
        _ => "its answer was cut",
    };
    CallError::unavailable(reason, error.into())
}

fn refused(error: &ConverseError, status: u16, wait: Option<Duration>) -> CallError {
    match error {
        // These two come with 429 and 424, though nobody called too often or wrongly.
        ConverseError::ModelNotReadyException(_) | ConverseError::ModelErrorException(_) => {
            CallError::overloaded(status, wait)
        }
        _ if status == 429 => CallError::Throttled { retry_after: wait },
        _ if status == 408 || status >= 500 => CallError::overloaded(status, wait),
        _ => CallError::rejected(status, error.message().or(error.code()).unwrap_or("no reason given")),
    }
}

#[cfg(test)]
mod tests;
