//! A model for development: no weights, no network, the same answer each time. It is named as what it is.
//!
//! It speaks `OpenAI`'s chat completions at `/mock/v1`. `mock/echo` answers with the last user message;
//! `mock/nearest-example` with the few-shot answer whose question is most like it, so that better examples score
//! better and an evaluation has something to find.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use domain::{
    content::{ChatMessage, Role},
    model::{ModelEntry, Provider},
    money::Usd,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Where the mock is mounted; `/chat/completions` follows.
pub const PATH: &str = "/mock/v1";
/// Answers with the last user message.
pub const ECHO: &str = "mock/echo";
/// Answers with the nearest few-shot answer.
pub const NEAREST_EXAMPLE: &str = "mock/nearest-example";

/// How the mock behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct MockSettings {
    /// How long each answer takes.
    pub latency: Duration,
    /// The share of calls that fail with 503, 0 to 1. Failures are spread evenly over the calls, whatever these
    /// say: with 0.25 every fourth fails, and the same call tried again succeeds.
    pub failure_rate: f64,
}

/// The mock's catalogue entries. `origin` is where the platform listens: `http://127.0.0.1:7070`.
pub fn catalogue(origin: &str) -> Vec<ModelEntry> {
    let entry = |model_id: &str| ModelEntry {
        model_id: model_id.to_owned(),
        provider: Provider::Openai,
        base_url: Some(format!("{origin}{PATH}")),
        api_model: None,
        input_usd_per_mtok: Usd::default(),
        output_usd_per_mtok: Usd::default(),
        max_concurrency: None,
        requests_per_minute: None,
        secret_name: None,
    };
    vec![entry(NEAREST_EXAMPLE), entry(ECHO)]
}

/// The mock's one route.
pub fn router(settings: MockSettings) -> Router {
    let mock = Mock { settings, failures_due: Arc::default() };
    Router::new().route(&format!("{PATH}/chat/completions"), post(complete)).with_state(mock)
}

#[derive(Debug, Clone)]
struct Mock {
    settings: MockSettings,
    /// Grows by the failure rate with each call; a whole one is a failure.
    failures_due: Arc<Mutex<f64>>,
}

impl Mock {
    fn fails_now(&self) -> bool {
        let mut due = self.failures_due.lock().unwrap_or_else(PoisonError::into_inner);
        *due += self.settings.failure_rate;
        // Ten times 0.1 is a little less than 1.
        let fails = *due > 1.0 - 1e-9;
        if fails {
            *due -= 1.0;
        }
        fails
    }
}

#[derive(Deserialize)]
struct Request {
    model: String,
    messages: Vec<ChatMessage>,
}

async fn complete(State(mock): State<Mock>, body: Bytes) -> Response {
    tokio::time::sleep(mock.settings.latency).await;
    if mock.fails_now() {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "the mock fails as often as it was told to");
    }
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let answer = match request.model.as_str() {
        ECHO => last_user(&request.messages).map(|(_, message)| message),
        NEAREST_EXAMPLE => nearest_example(&request.messages),
        model => return refuse(StatusCode::NOT_FOUND, &format!("the mock has no model `{model}`")),
    };
    match answer {
        Ok(text) => respond(StatusCode::OK, &completion(&request, text)),
        Err(why) => refuse(StatusCode::BAD_REQUEST, why),
    }
}

/// The last user message and its position.
fn last_user(messages: &[ChatMessage]) -> Result<(usize, &str), &'static str> {
    messages
        .iter()
        .rposition(|message| message.role == Role::User)
        .map(|index| (index, messages[index].content.as_str()))
        .ok_or("the conversation has no user message")
}

/// The answer of the earlier pair of turns whose question is most like the last user message; the first of equals.
fn nearest_example(messages: &[ChatMessage]) -> Result<&str, &'static str> {
    let (last, question) = last_user(messages)?;
    let words = words(question);
    let mut nearest: Option<(f64, &str)> = None;
    for pair in messages[..last].windows(2) {
        let [
            ChatMessage { role: Role::User, content: input },
            ChatMessage { role: Role::Assistant, content: output },
        ] = pair
        else {
            continue;
        };
        let likeness = jaccard(&words, &self::words(input));
        if nearest.is_none_or(|(most, _)| likeness > most) {
            nearest = Some((likeness, output));
        }
    }
    nearest
        .map(|(_, output)| output)
        .ok_or("mock/nearest-example needs few-shot examples: it answers with one of them")
}

/// The lower-cased runs of letters and digits.
fn words(text: &str) -> HashSet<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The share of words that two texts have in common, 0 to 1.
fn jaccard(a: &HashSet<String>, b: &HashSet<String>) -> f64 {
    let count = |words: usize| f64::from(u32::try_from(words).unwrap_or(u32::MAX));
    count(a.intersection(b).count()) / count(a.union(b).count().max(1))
}

/// An answer in `OpenAI`'s shape. Tokens are estimated as a quarter of the characters, rounded up.
fn completion(request: &Request, text: &str) -> Value {
    let tokens = |text: &str| text.chars().count().div_ceil(4);
    let input: usize = request.messages.iter().map(|message| tokens(&message.content)).sum();
    let output = tokens(text);
    json!({
        "id": "chatcmpl-mock",
        "object": "chat.completion",
        "created": 0,
        "model": request.model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop",
        }],
        "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
    })
}

fn refuse(status: StatusCode, message: &str) -> Response {
    respond(
        status,
        &json!({"error": {"message": message, "type": "mock_error", "param": null, "code": null}}),
    )
}

fn respond(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use domain::place::Places;

    use super::*;

    async fn ask(mock: &Mock, model: &str, turns: &[(Role, &str)]) -> (StatusCode, Value) {
        let messages: Vec<ChatMessage> =
            turns.iter().map(|&(role, content)| ChatMessage { role, content: content.to_owned() }).collect();
        let body = json!({"model": model, "messages": messages, "temperature": 0.0}).to_string();
        let response = complete(State(mock.clone()), body.into()).await;
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    fn mock(failure_rate: f64) -> Mock {
        Mock {
            settings: MockSettings { latency: Duration::ZERO, failure_rate },
            failures_due: Arc::default(),
        }
    }

    #[tokio::test]
    async fn the_nearest_example_answers_and_the_first_wins_ties() {
        let ask = async |question: &str| {
            let turns = [
                (Role::System, "Parcel, refund or hours?"),
                (Role::User, "Where is my PARCEL?"),
                (Role::Assistant, "parcel"),
                (Role::User, "When do you open? Öffnungszeiten"),
                (Role::Assistant, "hours"),
                (Role::User, "where is my parcel"),
                (Role::Assistant, "second"),
                (Role::User, question),
            ];
            let (status, answer) = ask(&mock(0.0), NEAREST_EXAMPLE, &turns).await;
            assert_eq!(status, StatusCode::OK);
            answer["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
        };
        assert_eq!(ask("Is my parcel here?").await, "parcel");
        assert_eq!(ask("öffnungszeiten: when?").await, "hours");
        assert_eq!(ask("?!").await, "parcel");
    }

    #[tokio::test]
    async fn the_echo_answers_with_the_last_user_message_and_counts_tokens() {
        let turns =
            [(Role::System, "abcde"), (Role::User, "one"), (Role::Assistant, "two"), (Role::User, "drei")];
        let (status, answer) = ask(&mock(0.0), ECHO, &turns).await;
        assert_eq!((status, &answer["choices"][0]["message"]["content"]), (StatusCode::OK, &json!("drei")));
        assert_eq!(answer["usage"], json!({"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}));
    }

    #[tokio::test]
    async fn what_it_cannot_answer_is_refused_in_openai_shape() {
        let hello = [(Role::User, "hello")];
        for (model, turns, status, why) in [
            (NEAREST_EXAMPLE, hello.as_slice(), StatusCode::BAD_REQUEST, "few-shot examples"),
            (ECHO, &[(Role::System, "hello")], StatusCode::BAD_REQUEST, "no user message"),
            ("gpt-4o", &hello, StatusCode::NOT_FOUND, "`gpt-4o`"),
        ] {
            let (found, answer) = ask(&mock(0.0), model, turns).await;
            assert_eq!(found, status);
            assert!(answer["error"]["message"].as_str().unwrap().contains(why), "{answer}");
        }
        let response = complete(State(mock(0.0)), Bytes::from_static(b"{")).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn failures_come_at_their_rate_and_pass() {
        for (rate, expected) in [(0.0, 0), (0.1, 4), (0.25, 10), (1.0, 40)] {
            let mock = mock(rate);
            let mut failures = Vec::new();
            for call in 0..40 {
                if ask(&mock, ECHO, &[(Role::User, "hello")]).await.0 == StatusCode::SERVICE_UNAVAILABLE {
                    failures.push(call);
                }
            }
            assert_eq!(failures.len(), expected, "{rate}");
            assert!(rate > 0.5 || failures.windows(2).all(|pair| pair[1] - pair[0] > 1), "{failures:?}");
        }
    }

    #[test]
    fn its_entries_are_valid_on_this_machine_alone() {
        for entry in catalogue("http://127.0.0.1:7071") {
            entry.validate(Places { loopback: true, hosts: None }).unwrap();
            assert!(entry.validate(Places::default()).is_err());
            assert_eq!(entry.base_url.as_deref(), Some("http://127.0.0.1:7071/mock/v1"));
        }
    }
}
