//! What each type of assertion takes: its value, its threshold and its model.

use serde::{
    Deserialize,
    de::{IntoDeserializer, value::Error as ValueError},
};

use super::{
    Ask, Body,
    check::{Check, Contains, compile},
    list::{scalar, separated, text, texts},
    measure::MAX_DISTANCE_CHARS,
    parse::{MAX_NAME_CHARS, read},
    question::Asked,
    schema::Schema,
};
use crate::{content::Literal, money::Usd};

/// The most texts that one assertion looks for.
const MAX_TEXTS: usize = 1000;
/// The most references that one output is compared with.
const MAX_REFERENCES: usize = 20;

/// What a body is made of.
pub(super) struct Parts<'a> {
    /// The type without `not-`, one of those that are supported, and not a set.
    pub(super) kind: &'a str,
    pub(super) value: Option<Literal>,
    pub(super) threshold: Option<f64>,
    pub(super) provider: Option<String>,
}

impl Parts<'_> {
    /// Prepares what is to be checked or asked.
    pub(super) fn body(mut self) -> Result<Body, String> {
        let named = |name: &String| !name.trim().is_empty() && name.chars().count() <= MAX_NAME_CHARS;
        if self.provider.as_ref().is_some_and(|name| !named(name)) {
            return Err(format!("`provider` is a model's id, 1 to {MAX_NAME_CHARS} characters"));
        }
        let provider = self.provider.take();
        if let Some(asked) = self.asked(provider.clone())? {
            return Ok(Body::Asked(asked));
        }
        if provider.is_some() {
            return Err(format!("{} asks no model, so it takes no `provider`", self.kind));
        }
        self.check().map(Body::Check)
    }

    fn asked(&self, provider: Option<String>) -> Result<Option<Asked>, String> {
        let (ask, threshold) = match self.kind {
            "similar" => {
                let expected = texts(self.kind, self.value()?, MAX_REFERENCES)?;
                (Ask::Similar { expected }, Some(self.least(0.75)?))
            }
            "llm-rubric" => {
                let value = self.value()?;
                // A rubric may be structured, as in promptfoo; the judge reads it as JSON.
                let rubric =
                    if scalar(value).is_some() { text(self.kind, value)? } else { value.as_str().to_owned() };
                (Ask::Rubric { rubric }, self.threshold.map(|_| self.least(0.0)).transpose()?)
            }
            "factuality" => {
                self.require_idle_threshold()?;
                (Ask::Factuality { reference: text(self.kind, self.value()?)? }, None)
            }
            _ => return Ok(None),
        };
        Ok(Some(Asked { ask, provider, threshold }))
    }

    fn check(&self) -> Result<Check, String> {
        let kind = self.kind;
        Ok(match kind {
            "levenshtein" => {
                let reference = text(kind, self.value()?)?;
                if reference.chars().count() > MAX_DISTANCE_CHARS {
                    return Err(format!("`value` of {kind} has at most {MAX_DISTANCE_CHARS} characters"));
                }
                Check::Levenshtein { reference, most: self.most("edits", Some(5.0))? }
            }
            "rouge-n" => Check::Rouge { reference: text(kind, self.value()?)?, least: self.least(0.75)? },
            "bleu" => {
                let references = texts(kind, self.value()?, MAX_REFERENCES)?;
                Check::Bleu { references, least: self.least(0.5)? }
            }
            "latency" => {
                self.require_no_value()?;
                Check::Latency(self.most("milliseconds", None)?)
            }
            "cost" => {
                self.require_no_value()?;
                let most: f64 = self.most("US dollars", None)?;
                let most = Usd::deserialize(IntoDeserializer::<ValueError>::into_deserializer(most));
                Check::Cost(most.map_err(|error| format!("`threshold` of cost: {error}"))?)
            }
            _ => {
                self.require_idle_threshold()?;
                self.binary()?
            }
        })
    }

    /// The checks that score 0 or 1 and have nothing to be set.
    fn binary(&self) -> Result<Check, String> {
        let kind = self.kind;
        let schema = || self.value.as_ref().map(Schema::new).transpose();
        let contains = |texts: Vec<String>, all| {
            let any_case = kind.starts_with('i');
            let texts = if any_case { texts.iter().map(|text| text.to_lowercase()).collect() } else { texts };
            Check::Contains(Contains { texts, all, any_case })
        };
        Ok(match kind {
            "is-json" => Check::IsJson(schema()?),
            "contains-json" => Check::ContainsJson(schema()?),
            "is-refusal" => {
                self.require_no_value()?;
                Check::IsRefusal
            }
            "equals" => match scalar(self.value()?) {
                Some(text) => Check::Equals(text),
                None => Check::EqualsJson(read(self.value()?)?),
            },
            "regex" => {
                let pattern = serde_json::from_str::<String>(self.value()?.as_str());
                Check::Matches(compile(&pattern.map_err(|_| "`value` of regex is a string".to_owned())?)?)
            }
            "contains-any" | "icontains-any" => contains(separated(kind, self.value()?, MAX_TEXTS)?, false),
            "contains-all" | "icontains-all" => contains(separated(kind, self.value()?, MAX_TEXTS)?, true),
            "starts-with" => Check::StartsWith(self.part()?),
            _ => contains(vec![self.part()?], true),
        })
    }

    fn value(&self) -> Result<&Literal, String> {
        self.value.as_ref().ok_or_else(|| format!("{} needs a `value`", self.kind))
    }

    fn part(&self) -> Result<String, String> {
        scalar(self.value()?)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| format!("`value` of {} is a text that is not empty, or a number", self.kind))
    }

    fn require_no_value(&self) -> Result<(), String> {
        if self.value.is_some() { Err(format!("{} takes no `value`", self.kind)) } else { Ok(()) }
    }

    /// A score of 0 or 1 reaches any threshold in here exactly when it is 1, so there is nothing to keep.
    fn require_idle_threshold(&self) -> Result<(), String> {
        match self.threshold {
            Some(threshold) if !(threshold > 0.0 && threshold <= 1.0) => {
                Err(format!("`threshold` of {} is above 0 and at most 1: it scores 0 or 1", self.kind))
            }
            _ => Ok(()),
        }
    }

    /// The score to reach.
    fn least(&self, default: f64) -> Result<f64, String> {
        let least = self.threshold.unwrap_or(default);
        if (0.0..=1.0).contains(&least) {
            Ok(least)
        } else {
            Err(format!("`threshold` of {} is a number from 0 to 1", self.kind))
        }
    }

    /// The amount not to exceed.
    fn most(&self, of: &str, default: Option<f64>) -> Result<f64, String> {
        self.threshold
            .or(default)
            .filter(|most| *most >= 0.0)
            .ok_or_else(|| format!("{} needs a `threshold`: the most {of}, 0 or more", self.kind))
    }
}
