//! What must hold after any storm: every ref is where its audit says it went, and no write left without an entry.

use std::collections::BTreeMap;

use domain::audit::export::verify;
use e2e::{ADMIN, Call, World, text};
use serde_json::{Value, json};

use crate::support::{history, list};

/// The environments of a prompt, as replaying its chain gives them: revision and version.
type Refs = BTreeMap<String, (u64, Value)>;

/// Checks every prompt and every chain.
pub async fn check(world: &World) {
    let export = world.admin(Call::get("/api/audit/export")).await.text();
    verify(&export).expect("every chain ends where its head says");
    let replayed = replay(&export);
    let prompts = list(&world.process.router, "/api/prompts", ADMIN).await;
    let chains = replayed.keys().filter(|chain| chain.starts_with("prm_")).count();
    assert_eq!(prompts.len(), chains, "every chain has its prompt");
    for prompt in prompts {
        let refs = prompt["environments"].as_array().unwrap().iter().map(|found| {
            let revision = found["revision"].as_u64().unwrap();
            (text(&found["name"]).to_owned(), (revision, found["version_id"].clone()))
        });
        let refs: Refs = refs.collect();
        assert_eq!(refs, replayed[text(&prompt["prompt_id"])], "refs and audit of {}", prompt["name"]);
        check_history(&history(world, &prompt).await, &refs);
    }
}

/// The last move of each environment is what is live there.
fn check_history(history: &[Value], refs: &Refs) {
    for (environment, (_, version)) in refs {
        let last = history.iter().find(|entry| entry["environment"] == **environment && is_move(entry));
        assert_eq!(last.map_or(&Value::Null, |entry| &entry["after"]["version_id"]), version);
    }
}

/// The refs that the entries of an export come to, by chain.
fn replay(export: &str) -> BTreeMap<String, Refs> {
    let mut chains: BTreeMap<String, Refs> = BTreeMap::new();
    for line in export.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let refs = chains.entry(text(&line["chain"]).to_owned()).or_default();
        if line["type"] == "entry" {
            apply(&line, refs);
        }
    }
    chains
}

fn is_move(entry: &Value) -> bool {
    ["promoted", "rolled_back"].contains(&text(&entry["action"]))
}

fn apply(entry: &Value, refs: &mut Refs) {
    match text(&entry["action"]) {
        "promoted" | "rolled_back" | "locked" | "unlocked" => {
            let environment = text(&entry["environment"]).to_owned();
            let (revision, version) = refs.entry(environment).or_insert((0, Value::Null));
            *revision += 1;
            assert_eq!(entry["after"]["revision"], json!(*revision), "{entry}");
            if is_move(entry) {
                assert_eq!(entry["before"]["version_id"], *version, "{entry}");
                *version = entry["after"]["version_id"].clone();
            }
        }
        "prompt_archived" | "prompt_restored" => follow(refs),
        "prompt_updated" if entry["before"]["name"] != entry["after"]["name"] => follow(refs),
        _ => {}
    }
}

/// Refs carry the prompt's name and whether it is archived: a change of either writes them all.
fn follow(refs: &mut Refs) {
    for (revision, _) in refs.values_mut() {
        *revision += 1;
    }
}
