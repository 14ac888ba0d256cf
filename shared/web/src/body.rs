//! What callers send.

use axum::{
    body::Body,
    extract::{FromRef, FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use domain::{Caller, Error, ErrorKind, KeyRole, test_set::Format};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};
use store::{Act, IdempotencyMark};

use crate::{Doors, MAX_BODY_BYTES, problem::Problem};

/// A JSON body of a request that changes nothing.
pub struct JsonBody<T>(pub T);

/// A request that makes or moves something: who does it, under which idempotency key, and with what body.
///
/// Its caller is an author at least, and its writes are counted.
pub struct Write<T> {
    /// Who does it, and how often.
    pub act: Act,
    /// What was sent.
    pub body: T,
}

/// Cases of a test set: who sends them, how they are written, and where they are.
pub struct Upload {
    /// Who does it.
    pub act: Act,
    /// How they are written.
    pub format: Format,
    /// Where they are.
    pub cases: Uploaded,
}

/// Where uploaded cases are.
pub enum Uploaded {
    /// In the request.
    Here(Vec<u8>),
    /// In the bucket, under this id.
    There(String),
}

/// What a request says of cases that are in the bucket already.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UploadBody {
    upload_id: String,
    #[serde(default)]
    content_type: Option<String>,
}

/// The most bytes of cases in a request.
const MAX_UPLOAD_BYTES: usize = 4 * 1024 * 1024;

/// The media types of test sets.
const FORMATS: [(&str, Format); 6] = [
    ("application/jsonl", Format::Jsonl),
    ("application/x-ndjson", Format::Jsonl),
    ("text/csv", Format::Csv),
    ("application/yaml", Format::Promptfoo),
    ("application/x-yaml", Format::Promptfoo),
    ("text/yaml", Format::Promptfoo),
];

fn format_of(media_type: &str) -> domain::Result<Format> {
    let known = FORMATS.iter().find(|(known, _)| media_type.eq_ignore_ascii_case(known));
    known.map(|(_, format)| *format).ok_or_else(|| {
        let detail = format!(
            "Cases are sent as `application/jsonl` (one JSON object a line), `text/csv`, or promptfoo's \
             `application/yaml`, not as `{media_type}`."
        );
        Error::new(ErrorKind::UnsupportedMediaType, detail)
    })
}

/// The body of routes that take none.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// The revision that a mover saw, from `If-Match`.
pub struct ExpectedRevision(pub Option<u64>);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        refuse_query(&parts)?;
        let bytes = read(body, MAX_BODY_BYTES).await?;
        Ok(Self(parse_json(&parts.headers, &bytes)?))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequest<S> for Write<T>
where
    Doors: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let doors = Doors::from_ref(state);
        let caller = doors.authenticate(&parts).await?;
        caller.require(KeyRole::Author)?;
        let bytes = read(body, MAX_BODY_BYTES).await?;
        let body = parse_json(&parts.headers, &bytes)?;
        doors.count_write(&caller).await?;
        let once = idempotency(&parts, &caller, &bytes)?;
        Ok(Self { act: Act { caller, once }, body })
    }
}

impl<S: Send + Sync> FromRequest<S> for Upload
where
    Doors: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let doors = Doors::from_ref(state);
        let caller = doors.authenticate(&parts).await?;
        caller.require(KeyRole::Author)?;
        let given = media_type(&parts.headers);
        let (format, cases) = if given.eq_ignore_ascii_case("application/json") {
            let UploadBody { upload_id, content_type } = read_json(&read(body, MAX_BODY_BYTES).await?)?;
            let format = content_type.map_or(Ok(Format::Jsonl), |given| format_of(&given))?;
            (format, Uploaded::There(upload_id))
        } else {
            let format = format_of(given)?;
            (format, Uploaded::Here(read(body, MAX_UPLOAD_BYTES).await?))
        };
        doors.count_write(&caller).await?;
        Ok(Self { act: Act::by(caller), format, cases })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ExpectedRevision {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let wrong =
            || Error::invalid("/If-Match", "If-Match holds the ETag of the environment, such as \"42\".");
        let text = value.to_str().map_err(|_| wrong())?.trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let revision = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or_else(wrong)?;
        Ok(Self(Some(revision.parse().map_err(|_| wrong())?)))
    }
}

impl ExpectedRevision {
    /// The one revision that header and body expect.
    pub fn or(self, in_body: Option<u64>) -> domain::Result<Option<u64>> {
        match (self.0, in_body) {
            (Some(header), Some(body)) if header != body => Err(Error::invalid(
                "/expected_revision",
                "If-Match and expected_revision say different things.",
            )),
            (header, body) => Ok(header.or(body)),
        }
    }
}

/// What is asked in a body is asked there alone: a name in the query too would be passed over in silence.
fn refuse_query(parts: &Parts) -> domain::Result<()> {
    let query = parts.uri.query().unwrap_or_default();
    let Some((name, _)) = form_urlencoded::parse(query.as_bytes()).next() else { return Ok(()) };
    let detail = format!("This route takes no query: send `{name}` in the body, if it is one of its names.");
    Err(Error::invalid(format!("/{name}"), detail))
}

/// Reads a body up to a limit.
pub(crate) async fn read(body: Body, limit: usize) -> domain::Result<Vec<u8>> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("The body is over {} KiB.", limit / 1024);
            Err(Error::new(ErrorKind::TooLarge, detail))
        }
        Err(error) => {
            Err(Error::new(ErrorKind::MalformedJson, "The body ended before it was whole.").caused_by(error))
        }
    }
}

/// Reads JSON: what is no JSON is told apart from what breaks a rule, and the rule's place is named.
///
/// A body that is not there at all reads as `{}`.
fn parse_json<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> domain::Result<T> {
    if bytes.is_empty() {
        return read_json(b"{}");
    }
    require_json(headers)?;
    read_json(bytes)
}

/// Reads a JSON object that stands for itself, such as one request of several.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> domain::Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let cause = error.into_inner();
        // What is no JSON is that first of all, whatever rule it broke before its end.
        match serde_json::from_slice::<Value>(bytes) {
            Ok(_) => Error::invalid(pointer, rule(&cause)),
            Err(cause) => no_json(&cause),
        }
    })?;
    reader.end().map_err(|error| {
        Error::new(ErrorKind::MalformedJson, format!("There is more after the end of the JSON: {error}."))
    })?;
    // serde takes an array for an object, by the order of its members, which is nobody's business.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Error::invalid("", "A JSON object is wanted here."));
    }
    Ok(parsed)
}

fn no_json(cause: &serde_json::Error) -> Error {
    Error::new(ErrorKind::MalformedJson, format!("The body is not JSON: {cause}."))
}

fn require_json(headers: &HeaderMap) -> domain::Result<()> {
    let given = media_type(headers);
    if given.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = format!("The body must be `application/json`, not `{given}`.");
    Err(Error::new(ErrorKind::UnsupportedMediaType, detail))
}

fn media_type(headers: &HeaderMap) -> &str {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim()
}

/// A path of serde's as a JSON pointer.
pub(crate) fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let parts = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    parts.collect()
}

/// serde's words without its line and column, which mean nothing to a caller who sends one line.
fn rule(error: &serde_json::Error) -> String {
    // Of what is JSON it says so where one of several words is wanted, and the value is no string.
    if !error.is_data() {
        return "A string is wanted here, one of several words.".to_owned();
    }
    let text = error.to_string();
    let cut = text.rfind(" at line ").map_or(text.as_str(), |at| &text[..at]);
    let mut words = cut.trim_end_matches('.').to_owned();
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words + "."
}

/// The idempotency key of a request, tied to who sent it, where and what.
fn idempotency(parts: &Parts, caller: &Caller, body: &[u8]) -> domain::Result<Option<IdempotencyMark>> {
    let Some(header) = parts.headers.get("idempotency-key") else { return Ok(None) };
    let key = header.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > 255 {
        return Err(Error::invalid("/Idempotency-Key", "An Idempotency-Key has 1 to 255 ASCII characters."));
    }
    let request = Sha256::new()
        .chain_update(parts.method.as_str())
        .chain_update([0])
        .chain_update(parts.uri.path_and_query().map_or("", |url| url.as_str()))
        .chain_update([0])
        .chain_update(body);
    Ok(Some(IdempotencyMark {
        key_id: caller.actor.id.trim_start_matches("key_").to_owned(),
        header_sha256: hex::encode(Sha256::digest(key)),
        request_sha256: hex::encode(request.finalize()),
    }))
}
