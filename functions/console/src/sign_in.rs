//! Signing in by an API key, and out.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Redirect},
};
use serde::Serialize;
use web::Fields;

use crate::{App, failure::Answer, form::FormState, pages::Plain, visit::Sent};

/// Where one comes to who asked for nothing else.
const HOME: &str = "/console";

#[derive(Serialize)]
struct Context {
    form: FormState,
    next: String,
}

/// The page that somebody wanted: one of the console's, whatever a link says.
fn next_of(fields: &Fields) -> String {
    let next = fields.text("next");
    let ours = next == HOME || next.starts_with("/console/") || next.starts_with("/console?");
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if ours && plain { next.to_owned() } else { HOME.to_owned() }
}

fn page(app: &App, status: StatusCode, form: FormState, next: String) -> Answer {
    let page = Plain { title: "Sign in", template: "sign_in.html" };
    Ok(app.pages.plain(status, &page, &Context { form, next })?)
}

pub(crate) async fn show(State(app): State<App>, uri: Uri) -> Answer {
    let query = Fields::read(uri.query().unwrap_or_default().as_bytes());
    page(&app, StatusCode::OK, FormState::default(), next_of(&query))
}

pub(crate) async fn enter(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let fields = Fields::read(&body);
    let next = next_of(&fields);
    let entered = match web::refuse_other_sites(&headers) {
        Ok(()) => app.doors.sign_in(&headers, fields.text("key")).await,
        Err(error) => Err(error),
    };
    match entered {
        Ok(cookie) => Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response()),
        Err(error) => {
            // The key is no text that a page gives back.
            let (status, form) = FormState::refused(&Fields::default(), error)?;
            page(&app, status, form, next)
        }
    }
}

pub(crate) async fn leave(State(app): State<App>, headers: HeaderMap, _: Sent) -> Answer {
    let cookie = app.doors.sign_out(&headers).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/console/sign-in")).into_response())
}
