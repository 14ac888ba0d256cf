//! What somebody sent by a form that came to no page of its own: the session had ended, or something failed. The page of
//! the error gives it back as it was typed, to be sent again by a button. Nothing is sent again by itself.

use axum::{
    body::{Body, HttpBody as _, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, request::Parts},
};
use domain::ErrorKind;
use serde::Serialize;
use web::Fields;

use crate::App;

/// The most bytes of a form that is given back: the page has to pass a gateway, and escaping makes it longer.
const MOST: usize = 512 * 1024;

/// The most lines of a text that are seen at once.
const MOST_ROWS: usize = 12;

/// What proves the session is never given back, nor is the key of a sign-in.
const SECRET: [&str; 2] = ["csrf", "key"];

/// Forms that begin or end a session: whoever sends one of them again would do what they do not see.
const OF_NO_SESSION: [&str; 2] = ["/console/sign-in", "/console/sign-out"];

/// A form on its way.
pub(crate) struct Kept {
    parts: Parts,
    fields: Fields,
}

/// A form to be sent again.
#[derive(Serialize)]
pub(crate) struct Again {
    address: String,
    fields: Vec<Typed>,
    /// What proves the present session; empty where there is none yet.
    csrf: String,
    /// Who is signed in now, where the form is of a session before that.
    anew: Option<String>,
}

#[derive(Serialize)]
struct Typed {
    name: String,
    text: String,
    rows: usize,
    /// Whether there is anything in it to be read.
    shown: bool,
}

impl Typed {
    fn of((name, text): (&str, &str)) -> Self {
        Self {
            rows: text.lines().count().clamp(1, MOST_ROWS),
            shown: !text.trim().is_empty() && name != "once",
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }
}

/// Keeps a form of ours, and lets the request pass. Where the browser does not say that a page of ours sent it, nothing
/// is kept: somebody would be led to press the button below what another site made up.
pub(crate) async fn keep(request: Request) -> (Request, Option<Kept>) {
    let (parts, body) = request.into_parts();
    let bytes = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    let fits = bytes.is_some_and(|bytes| bytes <= MOST);
    let of_session = !OF_NO_SESSION.contains(&parts.uri.path());
    if parts.method != Method::POST || !of_session || !is_ours(&parts.headers) || !fits {
        return (Request::from_parts(parts, body), None);
    }
    // A body that breaks off is no form of a session either, and is refused as that.
    let bytes = to_bytes(body, MOST).await.unwrap_or_default();
    let kept = Kept { parts: parts.clone(), fields: Fields::read(&bytes) };
    (Request::from_parts(parts, Body::from(bytes)), Some(kept))
}

fn is_ours(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() == b"same-origin")
}

impl Again {
    /// Whether all that is wrong is that somebody signed in anew.
    pub(crate) fn is_anew(&self) -> bool {
        self.anew.is_some()
    }
}

impl Kept {
    /// As the page of this error gives it back.
    pub(crate) async fn again(self, app: &App, error: ErrorKind) -> Again {
        // Whoever is signed out gets what proves the session once they are signed in, and then presses a second time.
        let signed_in = app.doors.signed_in(&self.parts).await.ok();
        let stale = |csrf: &str| error == ErrorKind::Forbidden && csrf != self.fields.text("csrf");
        let anew = signed_in.as_ref().filter(|now| stale(&now.csrf)).map(|now| now.caller.actor.name.clone());
        let fields = self.fields.iter().filter(|(name, _)| !SECRET.contains(name)).map(Typed::of).collect();
        let address = self.parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        Again { address, fields, csrf: signed_in.map(|now| now.csrf).unwrap_or_default(), anew }
    }
}
