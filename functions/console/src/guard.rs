//! Around every page: what browsers may do with it, and the pages of errors.

use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use domain::ErrorKind;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use web::Noted;

use crate::{
    App,
    failure::Failure,
    kept::{Again, keep},
    pages::Plain,
};

/// What went wrong.
#[derive(Serialize)]
struct Context {
    status: u16,
    title: &'static str,
    detail: String,
    signed_out: bool,
    /// What was sent, to be sent again.
    again: Option<Again>,
}

pub(crate) async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let (method, address) = (request.method().clone(), request.uri().clone());
    let (request, kept) = keep(request).await;
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let address = address.path_and_query().map_or("/console", |address| address.as_str());
        let again = match kept {
            Some(kept) => Some(kept.again(&app, failure.0.kind()).await),
            None => None,
        };
        response = page_of(&app, &failure, (&method, address), again);
        response.extensions_mut().insert(Noted::new(&failure.0));
    }
    web::protect_page(response.headers_mut());
    response
}

fn page_of(
    app: &App,
    failure: &Failure,
    (method, address): (&Method, &str),
    again: Option<Again>,
) -> Response {
    let signed_out = failure.0.kind() == ErrorKind::Unauthenticated;
    if signed_out && method == Method::GET {
        let next = utf8_percent_encode(address, NON_ALPHANUMERIC);
        return Redirect::to(&format!("/console/sign-in?next={next}")).into_response();
    }
    let (status, _, title) = web::describe(failure.0.kind());
    let title = if again.as_ref().is_some_and(Again::is_anew) { "Send it again?" } else { title };
    let detail = failure.0.detail().to_owned();
    let context = Context { status: status.as_u16(), title, detail, signed_out, again };
    match app.pages.plain(status, &Plain { title, template: "error.html" }, &context) {
        Ok(page) => page,
        Err(error) => {
            tracing::error!(error = %error.chain(), "the page of an error cannot be shown");
            (status, title).into_response()
        }
    }
}
