//! What every HTTP function shares: who is calling, what they sent, and how answers and errors look.
//!
//! A handler is: extract, one use case, view. It takes [`Author`] or [`Resolver`] (who), [`Query`], [`JsonBody`] or
//! [`Write`] (what), and returns a [`Result`] whose error becomes a problem document here, once.

mod answer;
mod authentication;
mod body;
mod fields;
mod html;
pub mod openapi;
mod problem;
mod query;
mod request_log;
pub mod schema;
mod session;
mod version_body;
mod version_form;

use std::sync::Arc;

use axum::{Router, middleware};
use cache::Cache;
use domain::Sources;
use quick_cache::sync::Cache as Bounded;
use store::Store;
use tower_http::catch_panic::CatchPanicLayer;

pub use answer::{Created, Listed, Tagged, etag_of, matches_etag, status_for};
pub use authentication::{Author, Resolver, Visitor};
pub use body::{Empty, ExpectedRevision, JsonBody, Upload, Uploaded, Write, read_json};
pub use fields::Fields;
pub use html::{escaped, is_invisible, protect_page, visible};
pub use problem::{Problem, Result, describe, document_of, log_of};
pub use query::{Path, Query, nullable, page_request};
pub use request_log::Noted;
pub use session::{Form, SignedIn, refuse_other_sites};
pub use version_body::NewVersionBody;
pub use version_form::{samples_of, values_of, version_of};

/// The most bytes of a JSON body.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What the extractors need of a function's state.
#[derive(Clone)]
pub struct Doors(Arc<DoorsInner>);

struct DoorsInner {
    cache: Arc<Cache>,
    store: Store,
    sources: Sources,
    writes_per_minute: u64,
    /// When this process last noted that a key is in use.
    noted: Bounded<String, domain::Timestamp>,
}

impl Doors {
    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.0.sources
    }

    /// Doors over the memory and the tables of a process.
    pub fn new(cache: Arc<Cache>, store: Store, sources: Sources, writes_per_minute: u64) -> Self {
        Self(Arc::new(DoorsInner { cache, store, sources, writes_per_minute, noted: Bounded::new(10_000) }))
    }
}

/// How many writes a key may make in a minute, when nothing else is said.
pub const WRITES_PER_MINUTE: u64 = 6000;

/// Puts what all requests have in common around the routes of a function: request ids, the log line, problem
/// documents, the limit of the URL, answers for routes that do not exist, and for requests that panic: their
/// neighbours in the same process know nothing of it.
pub fn finish(router: Router, doors: &Doors) -> Router {
    router
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(middleware::from_fn_with_state(doors.0.sources.clone(), request_log::log_request))
}
