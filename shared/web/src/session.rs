//! Signing in to the console: a key is shown once, and from then on the browser holds a session that stands for it.
//!
//! The key is looked up at each request, so a session ends with its key. Scripts cannot read the cookie, and no other
//! site's page makes a browser send it with a POST; with a link it does, so that one from a mail leads where it says. A
//! form also carries a text that only the session's own pages know.

use std::time::Duration;

use axum::{
    extract::Request,
    http::{HeaderMap, header, request::Parts},
};
use domain::{Caller, Error, ErrorKind, KeyRole, Result, key::PresentedKey};
use sha2::{Digest, Sha256};
use store::{Act, IdempotencyMark, Session};
use subtle::ConstantTimeEq as _;

use crate::{
    Doors, Fields,
    authentication::unauthenticated,
    body::read,
    request_log::{CalledBy, trace_of},
};

/// The cookie that holds a session.
const COOKIE: &str = "cuecard_session";

/// How long one may stay signed in.
const LIFE: Duration = Duration::from_hours(12);

/// The most bytes of a form: what a gateway passes on.
const MAX_FORM_BYTES: usize = 6 * 1024 * 1024;

/// Somebody who is signed in.
pub struct SignedIn {
    /// Who.
    pub caller: Caller,
    /// What their forms have to carry.
    pub csrf: String,
}

/// A form that somebody sent who is signed in, from a page of ours.
pub struct Form {
    /// Who sent it, once where it says so.
    pub act: Act,
    /// What their next forms have to carry.
    pub csrf: String,
    /// What is in it.
    pub fields: Fields,
}

impl Doors {
    /// Opens a session for whoever shows this key, and takes away the one that the browser had. Returns the cookie.
    pub async fn sign_in(&self, request: &HeaderMap, key: &str) -> Result<String> {
        let presented = PresentedKey::parse(key.trim()).ok_or_else(no_such_key)?;
        let caller = self.caller_of(&presented, None).await.map_err(|error| match error.kind() {
            ErrorKind::Unauthenticated => no_such_key(),
            _ => error,
        })?;
        caller.require(KeyRole::Author)?;
        let token = hex::encode(self.sources().bytes::<32>());
        let now = self.sources().now();
        let session = Session {
            token_sha256: hashed("session", &token),
            key_id: presented.id.to_owned(),
            opened_at: now,
            expires_at: now.plus(LIFE),
        };
        self.store().put_session(&session).await?;
        self.forget(request).await?;
        Ok(cookie(request, &token, LIFE))
    }

    /// Ends the browser's session. Returns the cookie that takes it away.
    pub async fn sign_out(&self, request: &HeaderMap) -> Result<String> {
        self.forget(request).await?;
        Ok(cookie(request, "", Duration::ZERO))
    }

    async fn forget(&self, request: &HeaderMap) -> Result<()> {
        match presented(request) {
            Some(token) => self.store().delete_session(&hashed("session", token)).await,
            None => Ok(()),
        }
    }

    /// Who is signed in.
    pub async fn signed_in(&self, request: &Parts) -> Result<SignedIn> {
        let token = presented(&request.headers).ok_or_else(unauthenticated)?;
        let found = self.store().session(&hashed("session", token)).await?;
        let now = self.sources().now();
        let session = found.filter(|session| now < session.expires_at).ok_or_else(unauthenticated)?;
        let caller = self.caller_by_id(&session.key_id).await?;
        let caller = Caller { trace_id: trace_of(&request.headers), ..caller };
        CalledBy::of(&request.extensions).note(&caller.actor.id);
        Ok(SignedIn { caller, csrf: hashed("form", token) })
    }

    /// Reads a form of somebody who is signed in. It is counted among the writes of their key.
    pub async fn form(&self, request: Request) -> Result<Form> {
        let (parts, body) = request.into_parts();
        let SignedIn { caller, csrf } = self.signed_in(&parts).await?;
        caller.require(KeyRole::Author)?;
        refuse_other_sites(&parts.headers)?;
        let bytes = read(body, MAX_FORM_BYTES).await?;
        let fields = Fields::read(&bytes);
        if !bool::from(fields.text("csrf").as_bytes().ct_eq(csrf.as_bytes())) {
            return Err(foreign());
        }
        self.count_write(&caller).await?;
        let once = fields.given("once").map(|once| mark(&parts, &caller, once, &bytes));
        Ok(Form { act: Act { caller, once }, csrf, fields })
    }
}

/// Refuses what a page of another site made a browser send, where the browser says so.
pub fn refuse_other_sites(headers: &HeaderMap) -> Result<()> {
    let said = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if said.is_none_or(|site| matches!(site, "same-origin" | "none")) { Ok(()) } else { Err(foreign()) }
}

fn foreign() -> Error {
    let detail = "This form did not come from a page of your session, so nothing was done. Go back, load the page \
                  again, and send it from there.";
    Error::new(ErrorKind::Forbidden, detail)
}

fn no_such_key() -> Error {
    Error::new(ErrorKind::Unauthenticated, "This is no live key. It looks like `cue_<id>_<secret>`.")
        .at("/key", "This is no live key. It looks like cue_<id>_<secret>.")
}

/// A form that is sent twice does its work once: its page gave it a name of its own.
fn mark(parts: &Parts, caller: &Caller, once: &str, body: &[u8]) -> IdempotencyMark {
    let request = Sha256::new().chain_update(parts.uri.path()).chain_update([0]).chain_update(body);
    let request_sha256 = hex::encode(request.finalize());
    IdempotencyMark {
        key_id: caller.actor.id.trim_start_matches("key_").to_owned(),
        // Who goes back and changes something sends another form under the same name.
        header_sha256: hashed(once, &request_sha256),
        request_sha256,
    }
}

fn presented(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut tokens = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, token)| token);
    tokens.next().filter(|token| token.len() == 64)
}

fn cookie(request: &HeaderMap, token: &str, life: Duration) -> String {
    // The platform on one machine speaks plain HTTP; behind a gateway the browser came by TLS.
    let over_tls = request.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes() == b"https");
    let secure = if over_tls { "; Secure" } else { "" };
    let seconds = life.as_secs();
    format!("{COOKIE}={token}; Path=/console; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

fn hashed(purpose: &str, token: &str) -> String {
    hex::encode(Sha256::new().chain_update(purpose).chain_update([0]).chain_update(token).finalize())
}
