//! Examples, as commands that one can type.

use std::collections::BTreeMap;

use axum::http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A request. What stands in braces in it, as `{version_id}`, is what an answer before it said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    /// The operation's id.
    pub(super) operation: String,
    /// Parameters of the path that have a value of their own here.
    #[serde(default)]
    path: BTreeMap<String, String>,
    #[serde(default)]
    query: BTreeMap<String, String>,
    body: Option<Box<RawValue>>,
    /// A body that is no JSON: its media type and its text.
    text: Option<(String, String)>,
}

impl Example {
    /// The command for it.
    pub(super) fn command(&self, method: &Method, path: &str) -> String {
        let of_path = self.path.iter();
        let path =
            of_path.fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
        let curl = match (method, self.query.is_empty()) {
            (&Method::GET, true) => "curl".to_owned(),
            (&Method::GET, false) => "curl -G".to_owned(),
            _ => format!("curl -X {method}"),
        };
        let mut lines = vec![
            format!("{curl} \"$CUECARD_URL{path}\""),
            "-H \"Authorization: Bearer $CUECARD_API_KEY\"".to_owned(),
        ];
        lines.extend(self.query.iter().map(|(name, value)| format!("--data-urlencode '{name}={value}'")));
        let json = self.body.iter().map(|body| ("application/json", body.get()));
        let text = self.text.iter().map(|(kind, text)| (kind.as_str(), text.as_str()));
        for (kind, body) in json.chain(text) {
            lines.extend([format!("-H 'Content-Type: {kind}'"), format!("--data-binary '{body}'")]);
        }
        lines.join(" \\\n  ")
    }
}
