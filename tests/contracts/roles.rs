//! What a role may do. Each includes the former.

use std::collections::{BTreeMap, BTreeSet};

use e2e::{Call, World};
use serde_json::json;

use crate::{
    api,
    document::operations,
    requests::{Target, request},
};

/// The roles, each including the former.
const ROLES: [&str; 4] = ["resolver", "author", "releaser", "admin"];

/// The operations that are not an author's: the role that they need.
const OTHERS: [(&str, &str); 24] = [
    ("canaries_abort", "releaser"),
    ("canaries_advance", "releaser"),
    ("canaries_create", "releaser"),
    ("canaries_pause", "releaser"),
    ("canaries_resume", "releaser"),
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
    ("prompts_archive", "releaser"),
    ("prompts_restore", "releaser"),
    ("resolve_batch", "resolver"),
    ("resolve_by_body", "resolver"),
    ("resolve_by_path", "resolver"),
    ("resolve_by_path_with_body", "resolver"),
    ("resolve_by_query", "resolver"),
    ("teams_set", "admin"),
];

/// Moves, which need a releaser in production alone.
const MOVES: [&str; 4] = ["environments_lock", "environments_unlock", "moves_promote", "moves_rollback"];

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
async fn each_route_takes_its_role_and_every_stronger_one() {
    let world = api::start().await;
    let keys = keys(&world).await;
    let needed: BTreeMap<_, _> = OTHERS.into_iter().chain([("versions_try_out", "resolver")]).collect();
    let mut seen = BTreeSet::new();
    for operation in operations().iter().filter(|operation| !operation.is_open()) {
        let id = operation.value["operationId"].as_str().unwrap();
        seen.insert(id);
        let weakest = weakest(&world, &keys, &request(operation, &Target::nobody())).await;
        assert_eq!(weakest, needed.get(id).copied().unwrap_or("author"), "{id}");
    }
    assert!(needed.keys().chain(&MOVES).all(|id| seen.contains(id)), "{seen:?}");
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

#[tokio::test]
async fn an_admin_sees_every_team_whatever_team_its_key_was_made_for() {
    let world = api::start().await;
    let prompt = world.prompt("b", "greeter", &json!({})).await;
    let [admin, releaser] = [world.key("a", "admin").await, world.key("a", "releaser").await];
    let read = Call::get(api::at(&prompt, ""));
    world.call(read.clone().key(&admin)).await.expect(200);
    world.call(read.key(&releaser)).await.refused(404, "no-such-prompt");
}
