//! What a caller of resolve asks.

use domain::{Environment, Error, Result, allocation::Unit, content::Literal, template::Values};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// A resolve, as the query or the body says it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskBody {
    /// The prompt's id or name, or `team/name`. Left out where the path says it.
    pub prompt: Option<String>,
    /// The environment.
    #[serde(default = "domain::name::production")]
    #[schema(value_type = String, default = "production")]
    pub env: Environment,
    /// The values of the prompt's variables.
    #[schema(schema_with = web::schema::optional_object)]
    pub variables: Option<Literal>,
    /// Who is served: assignments stick to it.
    pub user_id: Option<String>,
    /// The conversation: assignments stick to it when there is no user. Also taken as `session_id`.
    #[serde(alias = "session_id")]
    pub conversation_id: Option<String>,
    /// The request: nothing sticks to it.
    pub request_id: Option<String>,
    /// The token of the conversation's former answer: keeps it on its arm.
    #[serde(rename = "continue")]
    pub former_token: Option<String>,
    /// The revision that the answer must have at least.
    pub min_revision: Option<u64>,
    /// Only the text, or only the messages.
    pub fields: Option<Fields>,
}

/// The same in a query, where `variables` is a JSON object as text.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskQuery {
    /// The prompt's id or name, or `team/name`. Left out where the path says it.
    pub prompt: Option<String>,
    /// The environment.
    #[serde(default = "domain::name::production")]
    #[param(value_type = Option<String>, default = "production")]
    pub env: Environment,
    /// The values of the prompt's variables: a JSON object.
    pub variables: Option<String>,
    /// Who is served: assignments stick to it.
    pub user_id: Option<String>,
    /// The conversation: assignments stick to it when there is no user. Also taken as `session_id`.
    #[serde(alias = "session_id")]
    pub conversation_id: Option<String>,
    /// The request: nothing sticks to it.
    pub request_id: Option<String>,
    /// The token of the conversation's former answer: keeps it on its arm.
    #[serde(rename = "continue")]
    pub former_token: Option<String>,
    /// The revision that the answer must have at least.
    pub min_revision: Option<u64>,
    /// Only the text, or only the messages.
    #[param(inline)]
    pub fields: Option<Fields>,
}

/// Which rendering is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fields {
    /// `resolved_text` alone.
    Text,
    /// `messages` alone.
    Messages,
}

/// A question in one form, whatever way it came.
pub(crate) struct Ask {
    pub(crate) prompt: String,
    pub(crate) environment: Environment,
    pub(crate) values: Values,
    pub(crate) unit: Unit,
    pub(crate) former_token: Option<String>,
    pub(crate) min_revision: Option<u64>,
    pub(crate) fields: Option<Fields>,
}

impl AskBody {
    /// The question, with the prompt that the path named.
    pub(crate) fn ask(self, in_path: Option<String>) -> Result<Ask> {
        let values = match &self.variables {
            Some(json) => Values::parse(json.as_str())?,
            None => Values::default(),
        };
        Ok(Ask {
            prompt: one_prompt(in_path, self.prompt)?,
            environment: self.env,
            values,
            unit: Unit::of(self.user_id, self.conversation_id, self.request_id),
            former_token: self.former_token,
            min_revision: self.min_revision,
            fields: self.fields,
        })
    }
}

impl AskQuery {
    /// The question, with the prompt that the path named.
    pub(crate) fn ask(self, in_path: Option<String>) -> Result<Ask> {
        let values = match &self.variables {
            Some(json) => Values::parse(json)?,
            None => Values::default(),
        };
        Ok(Ask {
            prompt: one_prompt(in_path, self.prompt)?,
            environment: self.env,
            values,
            unit: Unit::of(self.user_id, self.conversation_id, self.request_id),
            former_token: self.former_token,
            min_revision: self.min_revision,
            fields: self.fields,
        })
    }
}

fn one_prompt(in_path: Option<String>, beside: Option<String>) -> Result<String> {
    match (in_path, beside) {
        (Some(prompt), None) | (None, Some(prompt)) if !prompt.is_empty() => Ok(prompt),
        (Some(_), Some(_)) => {
            Err(Error::invalid("/prompt", "The path names the prompt already; leave `prompt` out."))
        }
        _ => {
            Err(Error::invalid("/prompt", "Say which prompt: `prompt` is its id, its name, or `team/name`."))
        }
    }
}
