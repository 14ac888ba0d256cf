//! The style sheet, the script and the icon, as they are in the binary.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use domain::Error;
use sha2::{Digest, Sha256};

use crate::{
    failure::{Answer, Failure},
    visit,
};

const STYLE: &str = include_str!("../assets/console.css");
const SCRIPT: &str = include_str!("../assets/console.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// Names what is served: pages ask for it by this, so that it may be kept for ever.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::new().chain_update(STYLE).chain_update(SCRIPT).finalize();
    hex::encode(&digest[..8])
});

pub(crate) async fn read(name: visit::Name) -> Answer {
    let (kind, text) = match name.0.as_str() {
        "console.css" => ("text/css; charset=utf-8", STYLE),
        "console.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return Err(Failure::from(Error::not_found("file"))),
    };
    let kept = "public, max-age=31536000, immutable";
    let response: Response =
        ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, kept)], text).into_response();
    Ok(response)
}
