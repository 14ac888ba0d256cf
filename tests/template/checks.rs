//! What must hold of the template, in a file for each part of it.

pub(crate) mod alarms;
pub(crate) mod api;
pub(crate) mod cache;
pub(crate) mod functions;
pub(crate) mod network;
pub(crate) mod queues;
pub(crate) mod rights;
pub(crate) mod storage;
pub(crate) mod streams;
pub(crate) mod variables;

use crate::{code::Code, template::Template};

/// Everything that is wrong with the template.
pub(crate) async fn complaints(template: &Template, code: &Code) -> Vec<String> {
    let checks = [
        functions::complaints,
        variables::complaints,
        api::complaints,
        storage::complaints,
        streams::complaints,
        queues::complaints,
        network::complaints,
        rights::complaints,
        alarms::complaints,
    ];
    let mut complaints: Vec<_> = checks.into_iter().flat_map(|check| check(template, code)).collect();
    complaints.extend(cache::complaints(template, code).await);
    complaints
}
