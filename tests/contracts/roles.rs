//! What a role may do. Each includes the former.

use e2e::{Call, World};
use serde_json::json;

use crate::{
    api,
    document::operations,
    requests::{Target, request},
};

/// The roles, each including the former.
pub(crate) const ROLES: [&str; 4] = ["resolver", "author", "releaser", "admin"];

/// The operations that are not an author's: the role that they need.
const OTHERS: [(&str, &str); 34] = [
    ("canaries_abort", "releaser"),
    ("canaries_advance", "releaser"),
    ("canaries_create", "releaser"),
    ("canaries_pause", "releaser"),
    ("canaries_resume", "releaser"),
    ("evaluations_review", "releaser"),
    ("experiments_create", "releaser"),
    ("experiments_stop", "releaser"),
    ("keys_create", "admin"),
    ("keys_list", "admin"),
    ("keys_revoke", "admin"),
    ("keys_rotate", "admin"),
    ("metrics_of_prompt", "resolver"),
    ("metrics_of_team", "resolver"),
    ("metrics_report", "resolver"),
    ("metrics_summary", "resolver"),
    ("models_set", "admin"),
    ("ofrep_evaluate", "resolver"),
    ("ofrep_evaluate_all", "resolver"),
    ("prompts_archive", "releaser"),
    ("prompts_restore", "releaser"),
    ("resolve_batch", "resolver"),
    ("resolve_by_body", "resolver"),
    ("resolve_by_path", "resolver"),
    ("resolve_by_path_with_body", "resolver"),
    ("resolve_by_query", "resolver"),
    ("resolve_snapshot", "resolver"),
    ("teams_set", "admin"),
    ("versions_approve", "releaser"),
    ("versions_try_out", "resolver"),
    ("webhooks_create", "admin"),
    ("webhooks_delete", "admin"),
    ("webhooks_list", "admin"),
    ("webhooks_rotate", "admin"),
];

/// Moves, which need a releaser in production alone.
pub(crate) const MOVES: [&str; 5] = [
    "environments_lock",
    "environments_set_overrides",
    "environments_unlock",
    "moves_promote",
    "moves_rollback",
];

/// The least role that an operation lets in.
pub(crate) fn needed(id: &str, environment: &str) -> &'static str {
    let production = MOVES.contains(&id) && environment == "production";
    let other = OTHERS.iter().find(|(other, _)| *other == id).map(|(_, role)| *role);
    if production { "releaser" } else { other.unwrap_or("author") }
}

/// The operations that are named here.
pub(crate) fn named() -> impl Iterator<Item = &'static str> {
    OTHERS.into_iter().map(|(id, _)| id).chain(MOVES)
}

async fn keys(world: &World) -> Vec<String> {
    let mut keys = Vec::new();
    for role in ROLES {
        keys.push(world.key("a", role).await);
    }
    keys
}

/// The weakest role that is let in, after insisting that all stronger ones are too.
async fn weakest(world: &World, keys: &[String], call: &Call) -> &'static str {
    let mut refused = Vec::new();
    for key in keys {
        let answer = world.call(call.clone().key(key)).await;
        if answer.status == 403 {
            answer.refused(403, "forbidden");
        }
        refused.push(answer.status == 403);
    }
    let let_in = refused.iter().position(|refused| !refused).expect("an admin may do everything");
    assert!(refused[let_in..].iter().all(|refused| !refused), "{call:?}: {refused:?}");
    ROLES[let_in]
}

#[tokio::test]
async fn production_is_a_releasers_and_every_other_environment_an_authors() {
    let world = api::start().await;
    let keys = keys(&world).await;
    for operation in operations() {
        let id = operation.value["operationId"].as_str().unwrap();
        if MOVES.contains(&id) {
            for (environment, role) in [("production", "releaser"), ("eu-1", "author"), ("prod", "author")] {
                let call = request(&operation, &Target { environment, ..Target::nobody() });
                assert_eq!(weakest(&world, &keys, &call).await, role, "{id} {environment}");
            }
        }
    }
}

#[tokio::test]
async fn an_override_is_an_admins() {
    let world = api::start().await;
    let keys = keys(&world).await;
    let version = format!("ver_{}", "0".repeat(26));
    for environment in ["staging", "production"] {
        let body =
            json!({ "version_id": version, "environment": environment, "override": { "reason": "r" } });
        let promote = Call::post("/api/prompts/nobody/promote", &body);
        assert_eq!(weakest(&world, &keys, &promote).await, "admin", "{environment}");
    }
}
