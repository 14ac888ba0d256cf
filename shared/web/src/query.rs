//! Paths and queries.

use std::str::FromStr;

use axum::{
    extract::{FromRef, FromRequestParts, RawPathParams},
    http::request::Parts,
};
use domain::Error;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use store::PageRequest;

use crate::{Doors, body::pointer, problem::Problem};

/// The query, with unknown names refused.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Query<T>
where
    Doors: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Self::read(parts);
        if read.is_err() {
            told_to_callers_alone(parts, state).await?;
        }
        Ok(read?)
    }
}

impl<T: DeserializeOwned> Query<T> {
    fn read(parts: &Parts) -> Result<Self, Error> {
        let query = parts.uri.query().unwrap_or_default();
        let reader = || serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        // Keeping track of where a mistake would be costs as much as reading: only mistakes pay for it.
        let read = T::deserialize(reader()).or_else(|_| serde_path_to_error::deserialize(reader()));
        let parsed = read.map_err(|error| {
            let pointer = pointer(error.path());
            let words = error.into_inner().to_string();
            Error::invalid(pointer, format!("The query does not read: {}.", words.trim_end_matches('.')))
        })?;
        Ok(Self(parsed))
    }
}

/// The one parameter of a path that has one, or the first of several.
pub struct Path<A, B = Nothing>(pub A, pub B);

/// The second parameter of a path that has one only.
pub struct Nothing;

impl FromStr for Nothing {
    type Err = String;

    fn from_str(_: &str) -> Result<Self, String> {
        Ok(Self)
    }
}

impl<S, A, B> FromRequestParts<S> for Path<A, B>
where
    S: Send + Sync,
    A: FromStr<Err: ToString> + Send,
    B: FromStr<Err: ToString> + Send,
    Doors: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let raw = RawPathParams::from_request_parts(parts, state).await;
        let raw = raw.map_err(|error| Error::invalid("", format!("The path does not read: {error}")))?;
        let mut found = raw.iter();
        let (first, second) = (found.next().unwrap_or_default(), found.next().unwrap_or_default());
        match (parse(first), parse(second)) {
            (Ok(first), Ok(second)) => Ok(Self(first, second)),
            (Err(error), _) | (_, Err(error)) => {
                told_to_callers_alone(parts, state).await?;
                Err(error.into())
            }
        }
    }
}

fn parse<T: FromStr<Err: ToString>>((name, text): (&str, &str)) -> Result<T, Error> {
    text.parse().map_err(|error: T::Err| Error::invalid(format!("/{name}"), error.to_string()))
}

/// Who shows no live key is told that, and not what else is wrong.
async fn told_to_callers_alone<S: Send + Sync>(parts: &Parts, state: &S) -> domain::Result<()>
where
    Doors: FromRef<S>,
{
    Doors::from_ref(state).authenticate(parts).await.map(|_| ())
}

/// Tells a field that is null (take the thing away) from one that is left out (leave it as it is).
pub fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    reader: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(reader).map(Some)
}

/// Which page a list's query asks for.
pub fn page_request(limit: Option<u32>, cursor: Option<String>) -> Result<PageRequest, Error> {
    let limit = limit.unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Err(Error::invalid("/limit", "limit lies between 1 and 100."));
    }
    Ok(PageRequest { limit, cursor })
}
