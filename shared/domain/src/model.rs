//! The catalogue of models: who serves a model, where, at what price.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, FieldProblem, Result, money::Usd, place::Places};

/// Who serves a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// `OpenAI`, or whoever speaks its chat completions API.
    Openai,
    /// Anthropic, or whoever speaks its Messages API.
    Anthropic,
    /// Amazon Bedrock, by the role of whoever calls: it takes neither a `base_url` nor a `secret_name`.
    Bedrock,
}

impl Provider {
    /// Where its own service is; `None` for Bedrock, whose address follows from the region.
    pub fn public_url(self) -> Option<&'static str> {
        match self {
            Self::Openai => Some("https://api.openai.com/v1"),
            Self::Anthropic => Some("https://api.anthropic.com"),
            Self::Bedrock => None,
        }
    }
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
    /// Where, up to and without `/chat/completions` (Anthropic: `/v1/messages`); the provider's public address when
    /// left out.
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

    /// Where its calls go: its own address, else its provider's; `None` for Bedrock.
    pub fn address(&self) -> Option<&str> {
        self.base_url.as_deref().or(self.provider.public_url())
    }

    /// Checks the entry; all wrong fields are reported together. Its calls go to `places` alone.
    pub fn validate(&self, places: Places<'_>) -> Result<()> {
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
        if self.provider == Provider::Bedrock {
            check("base_url", check_absent("base_url", self.base_url.as_deref()));
            check("secret_name", check_absent("secret_name", self.secret_name.as_deref()));
        } else if let Some(address) = self.address() {
            check("base_url", places.check(address));
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

fn check_absent(field: &str, value: Option<&str>) -> Result<(), String> {
    if value.is_none() {
        return Ok(());
    }
    Err(format!("Bedrock is called at its region's address with the caller's role: leave `{field}` out."))
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
        entry.validate(Places::default()).unwrap();
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
        .validate(Places { loopback: true, hosts: None })
        .unwrap_err();
        let pointers: Vec<&str> = error.problems().iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/model_id", "/base_url", "/api_model", "/secret_name", "/max_concurrency"]);
    }

    fn problems_of(json: &str, places: Places<'_>) -> Vec<String> {
        let error = entry(json).validate(places).unwrap_err();
        error.problems().iter().map(|problem| problem.pointer.clone()).collect()
    }

    #[test]
    fn calls_go_where_the_entry_or_its_provider_says_and_only_to_places() {
        let of = |provider: &str, more: &str| {
            format!(
                r#"{{"model_id":"m","provider":"{provider}","input_usd_per_mtok":0,"output_usd_per_mtok":0{more}}}"#
            )
        };
        let hosts = ["*.anthropic.com".to_owned(), "models.example".to_owned()];
        let listed = Places { loopback: false, hosts: Some(&hosts) };
        for (entry_json, address) in [
            (of("anthropic", ""), Some("https://api.anthropic.com")),
            (of("openai", r#","base_url":"https://models.example/v1""#), Some("https://models.example/v1")),
            (of("bedrock", ""), None),
        ] {
            assert_eq!(entry(&entry_json).address(), address);
            entry(&entry_json).validate(listed).unwrap();
        }
        assert_eq!(problems_of(&of("openai", ""), listed), ["/base_url"], "its public address is not listed");
        let private = of("anthropic", r#","base_url":"https://10.0.0.7/v1""#);
        assert_eq!(problems_of(&private, Places::default()), ["/base_url"]);
        let keyed = of("bedrock", r#","base_url":"https://models.example","secret_name":"key""#);
        assert_eq!(problems_of(&keyed, listed), ["/base_url", "/secret_name"]);
    }
}
