//! SQS: rustack, in memory.

use std::sync::Arc;

use rustack_sqs_core::{config::SqsConfig, handler::RustackSqsHandler, provider::RustackSqs};
use rustack_sqs_http::service::{SqsHttpConfig, SqsHttpService};

use super::{ACCOUNT, EngineError, REGION};
use crate::http::{Server, listen};

pub(super) fn start() -> Result<Server, EngineError> {
    let listener = listen().map_err(EngineError::Listen)?;
    let address = listener.local_addr().map_err(EngineError::Listen)?;
    // Queue URLs are built from host and port, so the port comes first.
    let queues = RustackSqs::new(SqsConfig {
        skip_signature_validation: true,
        default_region: REGION.to_owned(),
        account_id: ACCOUNT.to_owned(),
        host: address.ip().to_string(),
        port: address.port(),
    });
    let handler = Arc::new(RustackSqsHandler::new(Arc::new(queues)));
    Server::start(listener, SqsHttpService::new(handler, SqsHttpConfig::default()))
        .map_err(EngineError::Listen)
}
