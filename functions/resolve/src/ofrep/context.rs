//! What a client of OpenFeature sends: whom it evaluates for, and with what.

use axum::http::HeaderMap;
use domain::{
    Environment, Error, Result, allocation::Unit, content::Literal, name::production, template::Values,
};
use serde::Deserialize;
use utoipa::{
    ToSchema,
    openapi::{
        Object, ObjectBuilder,
        schema::{AdditionalProperties, Type},
    },
};

use crate::ask::Ask;

/// Where the context stands in a body.
pub(super) const CONTEXT: &str = "/context";

/// Where in a body stands who is served.
pub(super) const TARGETING_KEY: &str = "/context/targetingKey";

const ENVIRONMENT: &str = "Cuecard-Environment";

/// An evaluation of one flag, or of all.
#[derive(Debug, Deserialize, ToSchema)]
pub struct EvaluationBody {
    /// Whom it is for. All but `targetingKey` are values of the prompts' variables.
    #[schema(required = true, schema_with = context_schema)]
    pub context: Option<Literal>,
}

fn context_schema() -> Object {
    let who = "Who is served: assignments stick to it.";
    let targeting_key =
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).description(Some(who));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("targetingKey", targeting_key)
        .required("targetingKey")
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .build()
}

/// What is asked of each flag alike.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) environment: Environment,
    targeting_key: String,
    values: Values,
}

impl Evaluation {
    pub(super) fn read(headers: &HeaderMap, body: EvaluationBody) -> Result<Self> {
        let context = body.context.ok_or_else(nobody)?;
        if !context.as_str().starts_with('{') {
            return Err(Error::invalid(CONTEXT, "`context` is a JSON object."));
        }
        let mut values = Values::parse(context.as_str())?;
        let given = values.take("targetingKey").ok_or_else(nobody)?;
        let targeting_key: Option<String> = serde_json::from_str(given.get())
            .map_err(|error| Error::invalid(CONTEXT, "`targetingKey` is a string.").caused_by(error))?;
        let targeting_key = targeting_key.filter(|key| !key.trim().is_empty()).ok_or_else(nobody)?;
        Ok(Self { environment: environment(headers)?, targeting_key, values })
    }

    /// The question for one of the prompts.
    pub(super) fn of(&self, prompt: String) -> Ask {
        Ask {
            prompt,
            environment: self.environment.clone(),
            values: self.values.clone(),
            unit: Unit::user(self.targeting_key.clone()),
            former_token: None,
            min_revision: None,
            fields: None,
        }
    }
}

/// It is wanted where nothing is tried, too: or who is served today would be refused when a trial begins.
fn nobody() -> Error {
    let detail = "Say in `targetingKey` who is served: the user, the session, or else the application.";
    Error::invalid(TARGETING_KEY, detail)
}

fn environment(headers: &HeaderMap) -> Result<Environment> {
    let Some(given) = headers.get(ENVIRONMENT) else { return Ok(production()) };
    let wrong = |error: String| Error::invalid(format!("/{ENVIRONMENT}"), error);
    given.to_str().map_err(|error| wrong(error.to_string()))?.parse().map_err(wrong)
}
