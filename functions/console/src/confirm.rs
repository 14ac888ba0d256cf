//! What is asked before somebody moves the traffic of a trial: which version gets which part of it, where, and how many
//! requests that is. To say yes the same form is sent once more, so that what was typed stays.

use domain::{Environment, PromptId, Result, VersionPointer};
use serde::Serialize;
use web::Fields;

use crate::App;

/// The field that says yes; the template has it too.
const SURE: &str = "sure";

/// What is about to be done.
#[derive(Serialize)]
pub(crate) struct Deed {
    /// As its button says it.
    pub(crate) name: String,
    /// Whether it ends something.
    pub(crate) ends: bool,
    /// Where its form goes, and the page that it is on.
    pub(crate) action: String,
    pub(crate) page: String,
    /// What its form holds besides the reason.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// What it means beyond the shares.
    pub(crate) also: String,
}

/// A version with its share of the requests, from 0 to 1, before and after.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Share {
    pub(crate) version: VersionPointer,
    pub(crate) now: f64,
    pub(crate) then: f64,
}

/// What changes, and by what.
pub(crate) type Asked = (Vec<Share>, Deed);

/// The question.
#[derive(Serialize)]
pub(crate) struct Question {
    deed: Deed,
    environment: String,
    shares: Vec<Share>,
    /// What the environment answered in the last day.
    resolves: i64,
    /// The part of the requests that another version answers from then on.
    moved: f64,
}

/// Whether somebody said yes already.
pub(crate) fn is_sure(fields: &Fields) -> bool {
    fields.given(SURE).is_some()
}

impl Question {
    /// What is to be asked, where there is anything to ask.
    pub(crate) async fn of(
        app: &App,
        prompt: PromptId,
        environment: &Environment,
        asked: Option<Asked>,
    ) -> Result<Option<Self>> {
        let Some((shares, deed)) = asked else { return Ok(None) };
        let registry = app.registry();
        let resolves = match registry.store.reference(prompt, environment).await? {
            Some(reference) => registry.answered_in(&reference).await?,
            None => 0,
        };
        let (environment, moved) = (environment.to_string(), moved(&shares));
        Ok(Some(Self { deed, environment, shares, resolves, moved }))
    }
}

/// What one version gains another one loses, so that half of all changes is what moves.
fn moved(shares: &[Share]) -> f64 {
    shares.iter().map(|share| (share.then - share.now).abs()).sum::<f64>() / 2.0
}
