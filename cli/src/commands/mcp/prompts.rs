//! The prompts that are live, as a client's user picks them.

use client::{
    prompts::{Prompt, PromptQuery},
    resolve::{Ask, Resolved},
    versions::{Values, Version},
};
use domain::{
    TeamId,
    content::{ChatMessage, Literal, Role, Variable, VariableType},
};
use futures_util::future::try_join_all;
use rmcp::model::{
    GetPromptResult, JsonObject, ListPromptsResult, MetaObject, Prompt as Offer, PromptArgument,
    PromptMessage, Role as Speaker,
};
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

use crate::{
    failure::{Failure, Result},
    session::Session,
    which::Which,
};

/// How many prompts are on a page, for each of which its live version is asked.
const PAGE: usize = 20;

/// A page of the prompts that are live in an environment. It may be short, for others are live elsewhere.
pub async fn list(session: &Session, environment: &str, cursor: Option<&str>) -> Result<ListPromptsResult> {
    let team = session.team.as_deref().map(str::parse::<TeamId>).transpose().map_err(Failure::Usage)?;
    let query = PromptQuery { team_id: team, status: Some("active"), ..PromptQuery::default() };
    let page = session.client.prompts_page(&query, PAGE, cursor).await?;
    let live = |prompt: &Prompt| prompt.environment(environment).and_then(|live| live.version_id);
    let live: Vec<_> = page.data.iter().filter_map(live).collect();
    let versions = try_join_all(live.into_iter().map(|id| session.client.version(id))).await?;
    let of = |version: &Version| page.data.iter().find(|prompt| prompt.prompt_id == version.prompt_id);
    let offers = versions.iter().filter_map(|version| Some(offer(of(version)?, version)));
    let mut listed = ListPromptsResult::with_all_items(offers.collect());
    listed.next_cursor = page.next_cursor;
    Ok(listed)
}

fn offer(prompt: &Prompt, version: &Version) -> Offer {
    let arguments = version.variables.iter().map(argument).collect();
    let offer = Offer::new(prompt.address(), prompt.description.clone(), Some(arguments));
    offer.with_title(prompt.name.to_string())
}

/// A variable. Arguments are texts, so it is said of which kind the text has to be.
fn argument(variable: &Variable) -> PromptArgument {
    let kind = match variable.kind {
        VariableType::String => None,
        VariableType::Number => Some("A number."),
        VariableType::Json => Some("JSON."),
    };
    let about: Vec<_> = variable.description.as_deref().into_iter().chain(kind).collect();
    let argument =
        PromptArgument::new(&variable.name).with_required(variable.required && variable.default.is_none());
    if about.is_empty() { argument } else { argument.with_description(about.join(" ")) }
}

/// A prompt with these values, resolved as applications do it.
pub async fn get(
    session: &Session,
    environment: &str,
    name: &str,
    arguments: JsonObject,
) -> Result<GetPromptResult> {
    let prompt = session.prompt(name).await?;
    let version = session.version(&prompt, &Which::Live(environment.to_owned())).await?;
    let ask = Ask {
        prompt: prompt.prompt_id.to_string(),
        env: environment.to_owned(),
        variables: values(&version.variables, arguments)?,
        user_id: None,
    };
    let resolved = session.client.resolve(&ask).await?;
    let messages = resolved.messages.iter().flatten().map(message).collect();
    let mut got = GetPromptResult::new(messages);
    got.description = prompt.description;
    got.meta = Some(meta(&resolved));
    Ok(got)
}

fn values(variables: &[Variable], arguments: JsonObject) -> Result<Values> {
    let value = |(name, given): (String, Value)| {
        let declared = variables.iter().find(|variable| variable.name == name);
        let kind = declared.map_or(VariableType::String, |variable| variable.kind);
        let literal = literal(kind, given).map_err(|error| {
            Failure::Usage(format!("`{name}` is no JSON, as its variable wants: {error}"))
        })?;
        Ok((name, literal))
    };
    arguments.into_iter().map(value).collect()
}

/// An argument as its variable takes it: that of a number or of JSON is the text of one.
fn literal(kind: VariableType, given: Value) -> serde_json::Result<Literal> {
    let json = match (kind, given) {
        (VariableType::Number | VariableType::Json, Value::String(text)) => {
            RawValue::from_string(text.trim().to_owned())
        }
        (_, given) => to_raw_value(&given),
    };
    json.map(Literal)
}

/// A message. The protocol knows two speakers: what is meant for the model comes from its user.
fn message(message: &ChatMessage) -> PromptMessage {
    let speaker = if message.role == Role::Assistant { Speaker::Assistant } else { Speaker::User };
    PromptMessage::new_text(speaker, &message.content)
}

/// Which answer this was, and how its authors want a model to be called.
fn meta(resolved: &Resolved) -> MetaObject {
    let about = json!({
        "environment": resolved.environment,
        "version_id": resolved.version_id,
        "version_number": resolved.version_number,
        "model_id": resolved.model_id,
        "temperature": resolved.temperature,
        "max_tokens": resolved.max_tokens,
        "params": resolved.params,
        "experiment_id": resolved.experiment_id,
        "variant": resolved.variant,
        "resolution_token": resolved.resolution_token,
        "ignored_variables": resolved.ignored_variables,
    });
    MetaObject(JsonObject::from_iter([("cuecard.dev/resolved".to_owned(), about)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_texts_and_become_what_their_variables_take() {
        let literal = |kind, text: &str| literal(kind, Value::String(text.to_owned()));
        assert_eq!(literal(VariableType::String, "1.50").unwrap().as_str(), r#""1.50""#);
        assert_eq!(literal(VariableType::Number, " 1.50 ").unwrap().as_str(), "1.50");
        assert_eq!(literal(VariableType::Json, r#"{"a": [1]}"#).unwrap().as_str(), r#"{"a": [1]}"#);
        assert!(literal(VariableType::Json, "{").is_err());
    }
}
