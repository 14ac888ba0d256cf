//! The catalogue of models: who serves a model, where, at what price.

use std::{fmt, net::Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::{Error, FieldProblem, Result, money::Usd};

/// Who serves a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// `OpenAI`, or whoever speaks its chat completions API.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Amazon Bedrock.
    Bedrock,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Bedrock => "bedrock",
        })
    }
}

/// One model of the catalogue. It names the secret that opens the provider; it never holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelEntry {
    /// What versions call it.
    pub model_id: String,
    /// Who serves it.
    pub provider: Provider,
    /// Where, up to and without `/chat/completions`; the provider's public address when left out.
    #[serde(default)]
    pub base_url: Option<String>,
    /// What the provider calls it; `model_id` when left out.
    #[serde(default)]
    pub api_model: Option<String>,
    /// Price of a million tokens in.
    pub input_usd_per_mtok: Usd,
    /// Price of a million tokens out.
    pub output_usd_per_mtok: Usd,
    /// The most calls at once.
    #[serde(default)]
    pub max_concurrency: Option<u32>,
    /// The most calls in a minute.
    #[serde(default)]
    pub requests_per_minute: Option<u32>,
    /// Under which name the provider's key is kept.
    #[serde(default)]
    pub secret_name: Option<String>,
}

impl ModelEntry {
    /// What the provider calls the model.
    pub fn api_model(&self) -> &str {
        self.api_model.as_deref().unwrap_or(&self.model_id)
    }

    /// What a call of so many tokens costs.
    pub fn cost(&self, input_tokens: u64, output_tokens: u64) -> Usd {
        Usd::of_tokens(&[(input_tokens, self.input_usd_per_mtok), (output_tokens, self.output_usd_per_mtok)])
    }

    /// Checks the entry; all wrong fields are reported together.
    ///
    /// `allow_loopback` lets `base_url` be on this machine, as the `local` platform's mock is.
    pub fn validate(&self, allow_loopback: bool) -> Result<()> {
        let mut problems = Vec::new();
        let mut check = |field: &str, outcome: Result<(), String>| {
            if let Err(detail) = outcome {
                problems.push(FieldProblem { pointer: format!("/{field}"), detail });
            }
        };
        check("model_id", check_name("model_id", &self.model_id));
        if self.model_id == "unbound" {
            check("model_id", Err("`unbound` means no model, so no model can be called so.".to_owned()));
        }
        if let Some(url) = &self.base_url {
            check("base_url", check_base_url(url, allow_loopback));
        }
        for (field, name) in [("api_model", &self.api_model), ("secret_name", &self.secret_name)] {
            if let Some(name) = name {
                check(field, check_name(field, name));
            }
        }
        for (field, limit) in
            [("max_concurrency", self.max_concurrency), ("requests_per_minute", self.requests_per_minute)]
        {
            if limit == Some(0) {
                check(field, Err(format!("`{field}` is at least 1; leave it out for no limit.")));
            }
        }
        Error::check(problems)
    }
}

fn check_name(field: &str, name: &str) -> Result<(), String> {
    let graphic = name.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if graphic && (1..=200).contains(&name.chars().count()) {
        return Ok(());
    }
    Err(format!("`{field}` is 1 to 200 characters without spaces."))
}

/// Whether calls may go to this address: HTTPS anywhere else, and this machine only with `allow_loopback`.
///
/// The form is narrower than a URL's, so that no two parsers can disagree on the host: no user, query or
/// fragment, no escapes in the host, and IPv4 in its one usual spelling.
pub fn check_base_url(url: &str, allow_loopback: bool) -> Result<(), String> {
    let (https, rest) = match url.split_once("://") {
        Some(("https", rest)) => (true, rest),
        Some(("http", rest)) => (false, rest),
        _ => return Err("`base_url` begins with https://.".to_owned()),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let plain =
        |text: &str, also: &[u8]| text.bytes().all(|b| b.is_ascii_alphanumeric() || also.contains(&b));
    let (host, port) = split_port(authority);
    let host_is_plain = host == "[::1]" || (!host.is_empty() && plain(host, b".-"));
    if !host_is_plain || port.is_some_and(|port| port.parse::<u16>().is_err()) || !plain(path, b"/._~-") {
        return Err("`base_url` is https://host[:port][/path], without user, query or escapes.".to_owned());
    }
    match (is_loopback(host), https) {
        (true, _) if allow_loopback => Ok(()),
        (true, _) => Err("`base_url` may not be on this machine here.".to_owned()),
        (false, true) => Ok(()),
        (false, false) => {
            Err("`base_url` begins with https://: prompts and keys never travel in clear.".to_owned())
        }
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "[::1]"
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(json: &str) -> ModelEntry {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_short_entry_is_enough_and_prices_calls() {
        let entry = entry(
            r#"{"model_id":"gpt-4o-mini","provider":"openai","input_usd_per_mtok":0.15,"output_usd_per_mtok":0.6}"#,
        );
        entry.validate(false).unwrap();
        assert_eq!(entry.api_model(), "gpt-4o-mini");
        assert_eq!(entry.cost(1_000_000, 500_000).to_string(), "0.45");
        assert_eq!(
            serde_json::from_str::<ModelEntry>(&serde_json::to_string(&entry).unwrap()).unwrap(),
            entry
        );
    }

    #[test]
    fn all_wrong_fields_are_named_together() {
        let error = entry(
            r#"{"model_id":"a b","provider":"openai","base_url":"http://models.example/v1","api_model":"",
                "input_usd_per_mtok":0,"output_usd_per_mtok":0,"max_concurrency":0,"secret_name":"x\n"}"#,
        )
        .validate(true)
        .unwrap_err();
        let pointers: Vec<&str> = error.problems().iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/model_id", "/base_url", "/api_model", "/secret_name", "/max_concurrency"]);
    }

    #[test]
    fn calls_leave_over_https_or_stay_on_this_machine_where_allowed() {
        for url in ["https://api.example.com/v1", "https://api.example.com:8443", "https://10.0.0.7/v1/"] {
            assert_eq!(check_base_url(url, false), Ok(()), "{url}");
        }
        for url in
            ["http://127.0.0.1:7070/mock/v1", "http://localhost/v1", "http://[::1]:80", "https://127.9.9.9"]
        {
            assert_eq!(check_base_url(url, true), Ok(()), "{url}");
            assert!(check_base_url(url, false).is_err(), "{url}");
        }
        for url in [
            "http://api.example.com",
            "http://0.0.0.0",
            "http://127.1",
            "http://2130706433",
            "http://169.254.169.254/latest",
            "http://127.0.0.1@example.com",
            "http://127.0.0.1:80@example.com",
            "http://localhost.example.com",
            "http://[::ffff:127.0.0.1]",
            "https://a\\@b",
            "https://example.com/v1?key=1",
            "https://example.com/#x",
            "https://example.com:99999",
            "https:///v1",
            "https://exa mple.com",
            "ftp://example.com",
            "HTTPS://example.com",
            "example.com",
            "",
        ] {
            assert!(check_base_url(url, true).is_err(), "{url}");
        }
    }
}
