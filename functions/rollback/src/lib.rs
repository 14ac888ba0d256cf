//! `rollback`: break-glass. Rolls back by a direct invocation, without gateway, console or key.
//!
//! Who may invoke it is decided by IAM. With a key it acts with that key's role; without one the actor is
//! `iam:unverified` with the request's id, and an alarm fires.

use domain::{
    Actor, Alarm, Caller, Environment, Error, ErrorKind, KeyRole, Result, TeamScope, VersionId,
    key::PresentedKey,
};
use release::{Moved, Release, Rollback, RolledBackView};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Act;
use web::Doors;

/// What the handler needs.
#[derive(Clone)]
pub struct App {
    /// Who is calling, when a key is shown.
    pub doors: Doors,
    /// The use cases.
    pub release: Release,
}

/// What is invoked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The prompt's id, or `team/name`.
    pub prompt: String,
    /// Where.
    pub environment: Environment,
    /// To what; left out: to what was live before.
    pub target_version_id: Option<VersionId>,
    /// Why.
    pub reason: String,
    /// The `moved_revision` that the caller saw.
    pub expected_revision: Option<u64>,
    /// The key with whose role it acts.
    pub api_key: Option<String>,
}

/// Rolls back. The answer is the HTTP route's body with its `status`; a refusal is the problem document.
pub async fn handle(event: Value, request_id: &str, app: &App) -> Value {
    let answer = app.roll_back(event, request_id).await.and_then(|moved| {
        let mut body = serde_json::to_value(RolledBackView::new(&moved)).map_err(Error::internal)?;
        body["status"] = json!(200);
        Ok(body)
    });
    answer.unwrap_or_else(|error| {
        tracing::warn!(request_id, error = web::log_of(&error), "a direct rollback was refused");
        let (_, mut document) = web::document_of(&error);
        document.insert("instance".to_owned(), json!(format!("urn:cuecard:request:{request_id}")));
        Value::Object(document)
    })
}

impl App {
    async fn roll_back(&self, event: Value, request_id: &str) -> Result<Moved> {
        let request: Request = serde_json::from_value(event)
            .map_err(|error| Error::invalid("", format!("The invocation does not read: {error}.")))?;
        let caller = match &request.api_key {
            Some(key) => self.caller(key).await?,
            None => unverified(request_id),
        };
        let wish = Rollback {
            environment: request.environment,
            target_version_id: request.target_version_id,
            expected_revision: request.expected_revision,
            reason: Some(request.reason),
        };
        let made = self.release.roll_back(&Act::by(caller), &request.prompt, &wish).await?;
        Ok(made.value)
    }

    async fn caller(&self, key: &str) -> Result<Caller> {
        let wrong =
            || Error::new(ErrorKind::Unauthenticated, "`api_key` is no key: it would be cue_<id>_<secret>.");
        let presented = PresentedKey::parse(key).ok_or_else(wrong)?;
        self.doors.caller_of(&presented, None).await
    }
}

/// IAM let it through, and nobody knows who it is: people are called.
fn unverified(request_id: &str) -> Caller {
    let alarm = Alarm::UnverifiedRollback.name();
    tracing::error!(alarm, request_id, actor = UNVERIFIED, "a rollback by somebody without a key");
    let actor =
        Actor { id: UNVERIFIED.to_owned(), name: request_id.to_owned(), role: KeyRole::Releaser, user: None };
    Caller { actor, scope: TeamScope::All, trace_id: None }
}

/// The actor of an invocation without a key.
const UNVERIFIED: &str = "iam:unverified";
