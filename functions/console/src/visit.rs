//! Who looks at a page, or sends a form, and what the address says.

use std::str::FromStr;

use axum::{
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::request::Parts,
};
use domain::{Caller, Error, KeyRole};
use store::{Act, PageRequest};
use web::{Fields, Form, SignedIn};

use crate::{App, failure::Failure};

/// Somebody who looks at a page.
pub(crate) struct Visit {
    /// Who.
    pub(crate) caller: Caller,
    /// What their forms have to carry.
    pub(crate) csrf: String,
    /// What the query asks.
    pub(crate) query: Fields,
    path: Vec<(String, String)>,
}

/// A form that was sent, by somebody who may write.
pub(crate) struct Sent {
    /// Who sent it, and under which name it is done once.
    pub(crate) act: Act,
    /// What is in it.
    pub(crate) fields: Fields,
    /// As the page that answers it has to know.
    pub(crate) visit: Visit,
}

impl Visit {
    /// A parameter of the path. What is no such id names nothing that is there.
    pub(crate) fn path<T: FromStr>(&self, name: &str) -> domain::Result<T> {
        let found = self.path.iter().find(|(known, _)| known == name).map(|(_, text)| text.parse().ok());
        found.flatten().ok_or_else(|| Error::not_found(name))
    }

    /// The page of a list that the query asks for.
    pub(crate) fn page(&self, limit: u32) -> PageRequest {
        self.page_of("cursor", limit)
    }

    /// The same of a list beside another, whose cursor has this name.
    pub(crate) fn page_of(&self, name: &str, limit: u32) -> PageRequest {
        PageRequest { limit, cursor: self.query.given(name).map(str::to_owned) }
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let SignedIn { caller, csrf } = app.doors.signed_in(parts).await?;
        caller.require(KeyRole::Author)?;
        Ok(Self { caller, csrf, query: query_of(parts), path: path_of(parts, app).await })
    }
}

impl FromRequest<App> for Sent {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let path = path_of(&mut parts, app).await;
        let query = query_of(&parts);
        let Form { act, csrf, fields } = app.doors.form(Request::from_parts(parts, body)).await?;
        let visit = Visit { caller: act.caller.clone(), csrf, query, path };
        Ok(Self { act, fields, visit })
    }
}

fn query_of(parts: &Parts) -> Fields {
    Fields::read(parts.uri.query().unwrap_or_default().as_bytes())
}

async fn path_of(parts: &mut Parts, app: &App) -> Vec<(String, String)> {
    let found = RawPathParams::from_request_parts(parts, app).await;
    let pairs = |found: RawPathParams| {
        found.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect::<Vec<_>>()
    };
    found.map(pairs).unwrap_or_default()
}

/// The one parameter of a path that anybody may ask for.
pub(crate) struct Name(pub(crate) String);

impl FromRequestParts<App> for Name {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let path = path_of(parts, app).await;
        Ok(Self(path.into_iter().next().map(|(_, text)| text).unwrap_or_default()))
    }
}
