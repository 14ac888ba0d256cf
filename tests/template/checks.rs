//! What must hold of the template, in a file for each part of it.

pub(crate) mod alarms;
pub(crate) mod api;
pub(crate) mod cache;
pub(crate) mod concurrency;
pub(crate) mod dashboard;
pub(crate) mod functions;
pub(crate) mod keys;
pub(crate) mod managed;
pub(crate) mod network;
pub(crate) mod queues;
pub(crate) mod releases;
pub(crate) mod rights;
pub(crate) mod runbooks;
pub(crate) mod storage;
pub(crate) mod streams;
pub(crate) mod variables;
pub(crate) mod watched;

use crate::{code::Code, template::Template};

/// Everything that is wrong with the template.
pub(crate) async fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let checks = [
        functions::complaints,
        variables::complaints,
        api::complaints,
        concurrency::complaints,
        storage::complaints,
        keys::complaints,
        streams::complaints,
        queues::complaints,
        network::complaints,
        rights::complaints,
        releases::complaints,
        managed::complaints,
        alarms::complaints,
        watched::complaints,
        runbooks::complaints,
        dashboard::complaints,
    ];
    let mut complaints: Vec<_> = checks.into_iter().flat_map(|check| check(template, code)).collect();
    complaints.extend(cache::complaints(template, code).await);
    complaints
}
