//! The names of all environment variables that we read.

/// The registry table.
pub const REGISTRY_TABLE: &str = "CUECARD_REGISTRY_TABLE";
/// The telemetry table.
pub const TELEMETRY_TABLE: &str = "CUECARD_TELEMETRY_TABLE";
/// The bucket of test sets.
pub const BUCKET: &str = "CUECARD_BUCKET";
/// The queue of evaluation cases.
pub const EVAL_QUEUE_URL: &str = "CUECARD_EVAL_QUEUE_URL";
/// The queue of metrics.
pub const METRICS_QUEUE_URL: &str = "CUECARD_METRICS_QUEUE_URL";
/// The queue of what webhooks are told.
pub const WEBHOOKS_QUEUE_URL: &str = "CUECARD_WEBHOOKS_QUEUE_URL";
/// The cache that all processes share: `redis://host:port`, or `rediss://host:port` with TLS. None: no cache.
pub const CACHE_URL: &str = "CUECARD_CACHE_URL";
/// Whether the cache is a cluster: `true` or `false` (default).
pub const CACHE_CLUSTER: &str = "CUECARD_CACHE_CLUSTER";
/// Whom to be to the cache, by a token that IAM checks. None: nobody asks.
pub const CACHE_USER: &str = "CUECARD_CACHE_USER";
/// The serverless cache's name, which the token is for.
pub const CACHE_NAME: &str = "CUECARD_CACHE_NAME";
/// Whether models and webhooks may be on this machine's own addresses: `true` for tests alone (default `false`).
pub const MODELS_ON_LOOPBACK: &str = "CUECARD_MODELS_ON_LOOPBACK";
/// The hosts that models may be on, separated by commas; `*.example.com` stands for all below it. None: any public
/// host.
pub const MODEL_HOSTS: &str = "CUECARD_MODEL_HOSTS";
/// The model that judges `llm-rubric` and `factuality` where an assertion names none.
pub const JUDGE_MODEL: &str = "CUECARD_JUDGE_MODEL";
/// The model whose embeddings `similar` compares where an assertion names none.
pub const EMBEDDING_MODEL: &str = "CUECARD_EMBEDDING_MODEL";
/// After how many hours a live version is measured again (default 24; 0: never).
pub const WATCH_HOURS: &str = "CUECARD_WATCH_HOURS";
/// The most that measuring all live versions again may cost each time, in USD (default 10).
pub const WATCH_USD: &str = "CUECARD_WATCH_USD";
/// The deployment's first key, an admin's, as `<id>:<SHA-256 of the secret>`. None: it has one.
pub const ADMIN_KEY: &str = "CUECARD_ADMIN_KEY";
/// The bucket of the audit's archive.
pub const ARCHIVE_BUCKET: &str = "CUECARD_ARCHIVE_BUCKET";
/// How much is logged: `error`, `warn`, `info` (default), `debug`, or a list as `cache=debug,warn`.
pub const LOG: &str = "CUECARD_LOG";
/// Where Lambda puts the log; set by Lambda itself.
pub const LOG_GROUP: &str = "AWS_LAMBDA_LOG_GROUP_NAME";
/// How long the development model thinks, in ms.
pub const MOCK_LATENCY_MS: &str = "CUECARD_MOCK_LATENCY_MS";
/// The share of the development model's answers that fail, 0 to 1.
pub const MOCK_FAILURE_RATE: &str = "CUECARD_MOCK_FAILURE_RATE";
/// How many cases of evaluations `local` works on at once.
pub const EVAL_CONCURRENCY: &str = "CUECARD_EVAL_CONCURRENCY";
