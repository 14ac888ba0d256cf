//! A request for each operation of the document, so that rules of all routes are tested on all routes.

use e2e::Call;
use serde_json::{Value, json};

use crate::{api, document::Operation};

/// What requests are about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    /// An id or a name.
    pub(crate) prompt: &'a str,
    /// Live in production.
    pub(crate) live: &'a str,
    pub(crate) version: &'a str,
    pub(crate) run: &'a str,
    pub(crate) test_set: &'a str,
    pub(crate) experiment: &'a str,
    pub(crate) canary: &'a str,
    pub(crate) key: &'a str,
    pub(crate) webhook: &'a str,
    pub(crate) team: &'a str,
    pub(crate) environment: &'a str,
    /// From the answer of a resolve.
    pub(crate) token: &'a str,
}

impl Target<'_> {
    /// Things that are nobody's.
    pub(crate) const fn nobody() -> Target<'static> {
        Target {
            prompt: "nobodys",
            live: "ver_00000000000000000000000000",
            version: "ver_00000000000000000000000000",
            run: "evl_00000000000000000000000000",
            test_set: "tst_00000000000000000000000000",
            experiment: "exp_00000000000000000000000000",
            canary: "rol_00000000000000000000000000",
            key: "nobody",
            webhook: "whk_00000000000000000000000000",
            team: "nobody",
            environment: "staging",
            token: "none",
        }
    }
}

/// A well-formed request.
pub(crate) fn request(operation: &Operation, target: &Target) -> Call {
    let (body, query) = wish(operation.value["operationId"].as_str().unwrap(), target);
    let path = in_path(target)
        .iter()
        .fold(operation.path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
    let call = Call::new(operation.method.clone(), path + &query);
    match operation.method.as_str() {
        "GET" => call,
        _ if operation.value["requestBody"]["content"]["application/jsonl"].is_object() => {
            call.bytes("application/jsonl", api::CASE)
        }
        _ => call.json(&body),
    }
}

/// The parameters of paths, by their names.
pub(crate) fn in_path<'a>(target: &Target<'a>) -> [(&'static str, &'a str); 12] {
    [
        ("prompt", target.prompt),
        ("key", target.prompt),
        ("version_id", target.version),
        ("eval_run_id", target.run),
        ("test_set_id", target.test_set),
        ("experiment_id", target.experiment),
        ("rollout_id", target.canary),
        ("team", target.team),
        ("environment", target.environment),
        ("key_id", target.key),
        ("webhook_id", target.webhook),
        ("model_id", "nobody"),
    ]
}

/// The body and the query.
pub(crate) fn wish(id: &str, target: &Target) -> (Value, String) {
    let Target { prompt, live, version, team, environment, token, .. } = *target;
    let body = match id {
        "experiments_create" => json!({ "variants": [{ "version_id": live }, { "version_id": version }] }),
        "environments_lock" => json!({ "reason": "freeze" }),
        "evaluations_review" => json!({ "decision": "approve", "reason": "close enough" }),
        "metrics_report" => json!({ "events": [{ "version_id": version }] }),
        "keys_create" => json!({ "team_id": team, "role": "resolver", "name": "made" }),
        "models_set" => json!({ "provider": "openai", "input_usd_per_mtok": 0, "output_usd_per_mtok": 0 }),
        "moves_promote" => json!({ "version_id": version, "environment": environment }),
        "moves_rollback" => json!({ "environment": environment }),
        "ofrep_evaluate" | "ofrep_evaluate_all" => json!({ "context": { "targetingKey": "asking" } }),
        "prompts_create" | "test_sets_create" => json!({ "name": "made", "team_id": team }),
        "resolve_batch" => json!({ "requests": [{ "prompt": prompt }] }),
        "resolve_by_body" => json!({ "prompt": prompt }),
        "test_sets_add_case" => json!({ "vars": {}, "expected": "a" }),
        "versions_approve" => json!({ "environment": environment, "reason": "it was read" }),
        "webhooks_create" => {
            json!({ "team_id": team, "url": "https://hooks.example.com/cuecard", "events": ["promotion"] })
        }
        "versions_create" => json!({ "template_text": "a", "model_id": "nobody" }),
        "canaries_create" | "versions_try_out" => json!({ "version_id": version }),
        _ => json!({}),
    };
    let query = match id {
        "audit_list" | "audit_export" => format!("?prompt_id={prompt}"),
        "evaluations_list" => "?status=queued".to_owned(),
        "experiments_explain" => format!("?resolution_token={token}"),
        "moves_changes" => "?since=2026-11-20T07:00:00Z".to_owned(),
        "prompts_by_name" => format!("?name={prompt}"),
        "keys_list" | "prompts_list" | "resolve_snapshot" | "test_sets_list" | "webhooks_list" => {
            format!("?team_id={team}")
        }
        "resolve_by_query" => format!("?prompt={prompt}"),
        "versions_diff" => "?from=1&to=2".to_owned(),
        _ => String::new(),
    };
    (body, query)
}
