//! API Gateway in small: an HTTP server whose requests are answered by functions.

use std::{io, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, service::service_fn};

use super::{
    Function,
    http::{answer_of, event_of, message},
};
use crate::http::{self, Failure, Server, listen};

/// A running front. Dropping it cuts its connections; the functions go on.
#[derive(Debug)]
pub struct HttpFront {
    server: Server,
}

impl HttpFront {
    /// Starts a front that hands each request to the function that `route` names for its method and its path as it
    /// was sent, and answers 404 where it names none.
    pub fn start(
        route: impl Fn(&Method, &str) -> Option<Arc<Function>> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let route = Arc::new(route);
        let service = service_fn(move |request: Request<Incoming>| {
            let function = route(request.method(), request.uri().path());
            async move { answer(function, request).await }
        });
        Ok(Self { server: Server::start(listen()?, service)? })
    }

    /// Where it listens: a URL without a trailing slash.
    pub fn url(&self) -> String {
        self.server.url()
    }
}

async fn answer(
    function: Option<Arc<Function>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Failure> {
    let (head, body) = request.into_parts();
    let Some(function) = function else { return Ok(message(StatusCode::NOT_FOUND).map(Full::new)) };
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let event = event_of(&head.method, path, &head.headers, &http::read(body).await?);
    let mut response = match function.invoke(event).await {
        Ok(answer) => answer_of(answer),
        Err(error) => {
            tracing::warn!(%error, method = %head.method, path, "a function did not answer a request");
            message(StatusCode::INTERNAL_SERVER_ERROR)
        }
    };
    // The body says its own length, save where there is none by rule.
    if head.method != Method::HEAD {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    Ok(response.map(Full::new))
}
