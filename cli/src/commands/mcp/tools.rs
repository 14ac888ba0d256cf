//! Tools: what an assistant does for its user, each with the role of the session's key and no more.
//!
//! To add one: a structure of what it takes, its [`Tool`], and its place in [`all`].

mod evaluations;
mod promote;
mod versions;

use futures_util::future::BoxFuture;
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool as Definition, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    session::Session,
};

/// A tool, by what it takes.
trait Tool: DeserializeOwned + JsonSchema + Send + 'static {
    const NAME: &'static str;
    /// For people.
    const TITLE: &'static str;
    /// For the model.
    const ABOUT: &'static str;
    const EFFECT: Effect;

    /// Does it; the answer is an object.
    fn run(self, session: &Session) -> impl Future<Output = Result<Value>> + Send;
}

/// What a tool does to what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nothing.
    Reads,
    /// What was there stays as it was.
    Adds,
    /// Something takes another's place.
    Replaces,
}

/// A tool as the server holds it.
pub struct Held {
    pub definition: Definition,
    run: for<'s> fn(&'s Session, JsonObject) -> BoxFuture<'s, Result<Value>>,
}

/// All tools.
pub fn all() -> Vec<Held> {
    vec![
        Held::of::<versions::List>(),
        Held::of::<versions::Show>(),
        Held::of::<versions::Create>(),
        Held::of::<versions::Diff>(),
        Held::of::<evaluations::Run>(),
        Held::of::<evaluations::Show>(),
        Held::of::<promote::Promote>(),
    ]
}

impl Held {
    fn of<T: Tool>() -> Self {
        let annotations = ToolAnnotations::with_title(T::TITLE)
            .read_only(T::EFFECT == Effect::Reads)
            .destructive(T::EFFECT == Effect::Replaces)
            .open_world(false);
        let definition = Definition::new(T::NAME, T::ABOUT, JsonObject::new())
            .with_title(T::TITLE)
            .with_input_schema::<T>()
            .with_annotations(annotations);
        Self { definition, run: |session, arguments| Box::pin(run::<T>(session, arguments)) }
    }

    /// What came of it. That it failed is an answer too, which the model reads.
    pub async fn call(&self, session: &Session, arguments: JsonObject) -> CallToolResult {
        match (self.run)(session, arguments).await {
            Ok(answer) => CallToolResult::structured(answer),
            Err(failure) => {
                session.output.note(&format!("{}: {}", self.definition.name, failure.chain()));
                refused(&failure)
            }
        }
    }
}

async fn run<T: Tool>(session: &Session, arguments: JsonObject) -> Result<Value> {
    let tool: T = serde_json::from_value(Value::Object(arguments))
        .map_err(|error| Failure::Usage(format!("The arguments of {} do not read: {error}", T::NAME)))?;
    tool.run(session).await
}

/// Why a tool did nothing: in words, and as the API's problem where it was the API.
fn refused(failure: &Failure) -> CallToolResult {
    let problem = failure.problem();
    let errors = problem.iter().flat_map(|problem| &problem.errors);
    let errors = errors.map(|error| format!("{}: {}", error.pointer, error.detail));
    let words: Vec<_> = [failure.chain()].into_iter().chain(errors).collect();
    let mut result = CallToolResult::error(vec![ContentBlock::text(words.join("\n"))]);
    result.structured_content = problem.map(|problem| json!({ "problem": problem }));
    result
}

/// The fields of an answer.
fn fields(answer: &impl Serialize) -> Result<Value> {
    serde_json::to_value(answer).map_err(|error| Failure::Failed(format!("This has no fields: {error}")))
}

/// What a dry run does not do.
fn would(deed: &str) -> Value {
    json!({ "dry_run": true, "would": deed })
}

/// The newest version, where none is named.
fn newest() -> String {
    "newest".to_owned()
}
