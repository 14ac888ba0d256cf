//! The configuration: read from the environment once, in one place, and all that is wrong with it said together.

pub mod name;

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use domain::{Error, Result, key::HashedKey, money::Usd};

/// The environment as it was when the process began, and what was found wrong with it so far.
#[derive(Debug)]
pub struct Variables {
    values: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Variables {
    /// Reads the environment.
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
    pub fn read() -> Self {
        Self::of(std::env::vars())
    }

    /// The same from given values.
    pub fn of(values: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            values: values.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
            problems: Vec::new(),
        }
    }

    /// A variable that must be there. What is missing is reported by [`Variables::finish`].
    pub fn required(&mut self, name: &str) -> String {
        let found = self.values.get(name).cloned();
        found.unwrap_or_else(|| {
            self.problems.push(format!("{name} is missing"));
            String::new()
        })
    }

    /// A variable that may be left out.
    pub fn optional<T: FromStr>(&mut self, name: &str, default: T) -> T {
        let Some(text) = self.values.get(name) else { return default };
        text.parse().unwrap_or_else(|_| {
            self.problems.push(format!("{name} does not read: `{text}`"));
            default
        })
    }

    /// The same for a key, which is not repeated where it does not read: somebody may have given its secret.
    pub fn key(&mut self, name: &str) -> Option<HashedKey> {
        let parsed = self.values.get(name)?.parse();
        parsed.map_err(|error| self.problems.push(format!("{name} does not read: {error}"))).ok()
    }

    /// Any variable, for the secrets whose names the catalogue says.
    pub fn secret(name: &str) -> Option<String> {
        #[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// All that is wrong, together.
    pub fn finish(self) -> Result<()> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(Error::internal(format!("the configuration is not complete: {}", self.problems.join("; "))))
    }
}

/// What the functions on AWS are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The tables and the bucket.
    pub names: store::Names,
    /// The queue of evaluation cases; empty for functions that do not use it.
    pub eval_queue_url: String,
    /// The queue of metrics; empty for functions that do not use it.
    pub metrics_queue_url: String,
    /// The queue of what webhooks are told; empty for functions that do not use it.
    pub webhooks_queue_url: String,
    /// The cache; `None`: memory stands over the tables.
    pub cache: Option<CacheAddress>,
    /// Whether models and webhooks may be on this machine's own addresses: for tests alone.
    pub models_on_loopback: bool,
    /// How versions are evaluated.
    pub evaluation: Evaluation,
    /// The deployment's first key; `None`: it has one.
    pub admin_key: Option<HashedKey>,
    /// Where Lambda puts the log, which tells deployments apart; empty where nobody watches.
    pub log_group: String,
}

/// How versions are evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The hosts that models may be on; `None`: any public host.
    pub model_hosts: Option<Vec<String>>,
    /// Who judges where an assertion names nobody.
    pub judge_model: Option<String>,
    /// Whose embeddings are compared where an assertion names nobody.
    pub embedding_model: Option<String>,
    /// How often a live version is measured; zero: never.
    pub watch_every: Duration,
    /// The most that one round of that may cost.
    pub watch_usd: Usd,
}

impl Default for Evaluation {
    /// Any public host, no judge, every live version once a day for at most 10 USD.
    fn default() -> Self {
        Self {
            model_hosts: None,
            judge_model: None,
            embedding_model: None,
            watch_every: Duration::from_hours(24),
            watch_usd: Usd::from_nanos(10_000_000_000),
        }
    }
}

impl Evaluation {
    /// What the environment says of it.
    pub fn read(variables: &mut Variables) -> Self {
        let default = Self::default();
        let mut named = |name: &str| {
            let text = variables.optional(name, String::new());
            (!text.is_empty()).then_some(text)
        };
        let hosts = named(name::MODEL_HOSTS);
        let list = |hosts: String| hosts.split(',').map(|host| host.trim().to_owned()).collect();
        Self {
            model_hosts: hosts.map(list),
            judge_model: named(name::JUDGE_MODEL),
            embedding_model: named(name::EMBEDDING_MODEL),
            watch_every: Duration::from_hours(variables.optional(name::WATCH_HOURS, 24)),
            watch_usd: variables.optional(name::WATCH_USD, default.watch_usd),
        }
    }
}

/// Where the cache is, and whom to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheAddress {
    /// `redis://host:port`, or `rediss://host:port` with TLS.
    pub url: String,
    /// Whether it is a cluster.
    pub cluster: bool,
    /// The user whose token IAM checks; `None`: nobody asks.
    pub user: Option<CacheUser>,
}

/// A user of a cache that asks IAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheUser {
    /// The user's id.
    pub user: String,
    /// The serverless cache's name.
    pub cache: String,
}

impl Configuration {
    /// For functions that only know the tables and the bucket.
    pub fn of_tables(variables: Variables) -> Result<Self> {
        Self::read(variables, &[])
    }

    /// For functions that send evaluation cases too.
    pub fn of_evaluation(variables: Variables) -> Result<Self> {
        Self::read(variables, &[name::EVAL_QUEUE_URL])
    }

    /// For the function that sends evaluation cases, and what webhooks are told.
    pub fn of_dispatch(variables: Variables) -> Result<Self> {
        Self::read(variables, &[name::EVAL_QUEUE_URL, name::WEBHOOKS_QUEUE_URL])
    }

    /// For the function that sends metrics.
    pub fn of_metrics(variables: Variables) -> Result<Self> {
        Self::read(variables, &[name::METRICS_QUEUE_URL])
    }

    /// For functions that write the archive of the audit.
    pub fn of_archive(mut variables: Variables) -> Result<Self> {
        let archive = variables.required(name::ARCHIVE_BUCKET);
        let mut configuration = Self::of_tables(variables)?;
        configuration.names.archive = Some(archive);
        Ok(configuration)
    }

    /// Reads all of it. Of the queues' URLs, `required` ones must be there and the others are not looked at.
    fn read(mut variables: Variables, required: &[&str]) -> Result<Self> {
        let mut queue = |name: &str| {
            if required.contains(&name) { variables.required(name) } else { String::new() }
        };
        let [eval_queue_url, metrics_queue_url, webhooks_queue_url] =
            [name::EVAL_QUEUE_URL, name::METRICS_QUEUE_URL, name::WEBHOOKS_QUEUE_URL].map(&mut queue);
        let configuration = Self {
            names: table_names(&mut variables),
            eval_queue_url,
            metrics_queue_url,
            webhooks_queue_url,
            cache: cache(&mut variables),
            models_on_loopback: variables.optional(name::MODELS_ON_LOOPBACK, false),
            evaluation: Evaluation::read(&mut variables),
            admin_key: variables.key(name::ADMIN_KEY),
            log_group: variables.optional(name::LOG_GROUP, String::new()),
        };
        variables.finish()?;
        Ok(configuration)
    }
}

fn table_names(variables: &mut Variables) -> store::Names {
    store::Names {
        registry: variables.required(name::REGISTRY_TABLE),
        telemetry: variables.required(name::TELEMETRY_TABLE),
        bucket: variables.required(name::BUCKET),
        archive: None,
    }
}

fn cache(variables: &mut Variables) -> Option<CacheAddress> {
    let text = |variables: &mut Variables, name: &str| variables.optional(name, String::new());
    let url = Some(text(variables, name::CACHE_URL)).filter(|url| !url.is_empty())?;
    let user = Some(text(variables, name::CACHE_USER)).filter(|user| !user.is_empty());
    let user = user.map(|user| CacheUser { user, cache: variables.required(name::CACHE_NAME) });
    Some(CacheAddress { url, cluster: variables.optional(name::CACHE_CLUSTER, false), user })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_said_together() {
        let given =
            [(name::BUCKET.to_owned(), "b".to_owned()), (name::REGISTRY_TABLE.to_owned(), String::new())];
        let error = Configuration::of_evaluation(Variables::of(given)).unwrap_err().chain();
        for missing in [name::REGISTRY_TABLE, name::TELEMETRY_TABLE, name::EVAL_QUEUE_URL] {
            assert!(error.contains(&format!("{missing} is missing")), "{error}");
        }
        assert!(!error.contains(name::BUCKET));
    }

    #[test]
    fn what_does_not_read_is_said_and_not_guessed() {
        let mut variables = Variables::of([(name::MOCK_LATENCY_MS.to_owned(), "soon".to_owned())]);
        assert_eq!(variables.optional(name::MOCK_LATENCY_MS, 0_u64), 0);
        assert!(variables.finish().is_err());
    }

    #[test]
    fn a_key_that_does_not_read_is_not_repeated() {
        let mut variables = Variables::of([(name::ADMIN_KEY.to_owned(), "cue_admin_its-secret".to_owned())]);
        assert_eq!(variables.key(name::ADMIN_KEY), None);
        let said = variables.finish().unwrap_err().chain();
        assert!(said.contains("CUECARD_ADMIN_KEY does not read: it would be <id>:<SHA-256"), "{said}");
        assert!(!said.contains("its-secret"), "{said}");
    }
}
