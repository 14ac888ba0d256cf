//! Reading the audit: who sees which part of it, by what filter, in which order.

use std::{collections::BTreeSet, time::Duration};

use domain::audit::export::verify;
use e2e::{ADMIN, Answer, Call, World, text};
use serde_json::{Value, json};

use crate::{
    random::announced,
    support::{each, list, lived, promotion, under, versions},
};

/// Two teams with a prompt each, and the keys of an author of either.
async fn two_teams(world: &World) -> ([Value; 2], [String; 2]) {
    let mut prompts = Vec::new();
    let mut keys = Vec::new();
    for team in ["red", "blue"] {
        keys.push(world.key(team, "author").await);
        let prompt = world.prompt(team, "greeter", &json!({})).await;
        let versions = versions(world, &prompt, 2).await;
        for version in &versions {
            world.promote(&prompt, version, "production").await.expect(200);
        }
        prompts.push(prompt);
    }
    (prompts.try_into().unwrap(), keys.try_into().unwrap())
}

async fn export(world: &World, query: &str, key: &str) -> Answer {
    world.call(Call::get(format!("/api/audit/export{query}")).key(key)).await
}

#[tokio::test]
async fn an_export_holds_the_chains_that_were_asked_for_and_that_the_key_may_see() {
    let world = World::start().await;
    let ([red, blue], [red_key, blue_key]) = two_teams(&world).await;
    let (red, blue) = (text(&red["prompt_id"]), text(&blue["prompt_id"]));
    let everything = ["team:*", "team:red", "team:blue", red, blue];
    for (query, key, chains) in [
        (String::new(), ADMIN, &everything[..]),
        ("?team_id=red".to_owned(), ADMIN, &["team:red", red]),
        (format!("?prompt_id={blue}"), ADMIN, &[blue]),
        (String::new(), &*red_key, &["team:red", red]),
        ("?team_id=red".to_owned(), &*red_key, &["team:red", red]),
        ("?prompt_id=greeter".to_owned(), &*blue_key, &[blue]),
    ] {
        let export = export(&world, &query, key).await;
        export.expect(200);
        let export = export.text();
        let verified = verify(&export).unwrap();
        let found: BTreeSet<String> = announced(&export).into_keys().collect();
        assert_eq!(found, chains.iter().map(|chain| (*chain).to_owned()).collect(), "{query}");
        assert_eq!(verified.chains, chains.len());
    }
    export(&world, "?team_id=blue", &red_key).await.refused(404, "not-found");
    export(&world, &format!("?prompt_id={blue}"), &red_key).await.refused(404, "no-such-prompt");
    export(&world, "?prompt_id=nobody", &red_key).await.refused(404, "no-such-prompt");
    let resolver = world.key("red", "resolver").await;
    export(&world, "", &resolver).await.refused(403, "forbidden");
    export(&world, "?team=red", ADMIN).await.refused(422, "invalid");
}

#[tokio::test]
async fn the_audit_is_filtered_by_prompt_team_actor_and_time() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 1).await;
    world.clock.advance(Duration::from_mins(1));
    let releaser = world.key("support", "releaser").await;
    let moved = promotion(&prompt, &versions[0], "staging", &json!({ "reason": "try it" }));
    world.call(moved.key(&releaser)).await.expect(200);
    let read =
        async |query: &str, key: &str| list(&world.process.router, &format!("/api/audit{query}"), key).await;
    let all = read("?prompt_id=greeter", &releaser).await;
    assert_eq!(each(&all, "/action"), ["promoted", "promoted", "version_created", "prompt_created"]);
    assert_eq!(each(&all, "/sequence"), [4, 3, 2, 1], "newest first");
    assert_eq!(all[0]["prev_hash"], all[1]["hash"]);
    let mine = read("?prompt_id=greeter&actor=releaser%20of%20support", &releaser).await;
    assert_eq!(each(&mine, "/sequence"), [4]);
    let id = text(&mine[0]["actor"]["id"]);
    assert_eq!(read(&format!("?prompt_id=greeter&actor={id}"), &releaser).await, mine);
    for (query, sequences) in [
        ("from=2026-11-20T07:01:00Z", &[4][..]),
        ("to=2026-11-20T07:01:00Z", &[3, 2, 1]),
        ("from=2026-11-20T08:00:00%2B01:00&to=2026-11-20T07:01:01Z", &[4, 3, 2, 1]),
        ("from=2026-11-20T07:01:00Z&actor=admin", &[]),
    ] {
        let found = read(&format!("?prompt_id=greeter&{query}&limit=1"), &releaser).await;
        assert_eq!(each(&found, "/sequence"), sequences, "{query}");
    }
    let team = read("", &releaser).await;
    assert_eq!(
        (each(&team, "/action"), &team[0]["chain"]),
        (vec![&json!("key_created")], &json!("team:support"))
    );
    assert_eq!(read("?team_id=support", ADMIN).await, team);
    assert_eq!(each(&read("", ADMIN).await, "/chain"), ["team:*"], "what belongs to all teams");
    let foreign = world.key("sales", "author").await;
    let ask = |query: &str| Call::get(format!("/api/audit{query}")).key(&foreign);
    world.call(ask("?prompt_id=greeter")).await.refused(404, "no-such-prompt");
    world.call(ask("?team_id=support")).await.refused(404, "not-found");
    world.call(ask("?from=yesterday")).await.refused(422, "invalid");
}

#[tokio::test]
async fn the_history_shows_every_move_newest_first_with_who_why_and_on_what_evidence() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let versions = versions(&world, &prompt, 2).await;
    let releaser = world.key("support", "releaser").await;
    for (version, reason) in versions.iter().zip(["first", "second"]) {
        let call = promotion(&prompt, version, "production", &json!({ "reason": reason }));
        world.call(call.key(&releaser).header("x-cuecard-user", "grace")).await.expect(200);
    }
    let describe = json!({ "description": "not a move" });
    world.admin(Call::patch(crate::support::itself(&prompt), &describe)).await.expect(200);
    world.roll_back(&prompt, "production").await.expect(200);
    let path = under(&prompt, "history");
    let moves = list(&world.process.router, &format!("{path}?limit=1"), &releaser).await;
    assert_eq!(each(&moves, "/action"), ["rolled_back", "promoted", "promoted"]);
    assert_eq!(each(&moves, "/reason"), [&Value::Null, &json!("second"), &json!("first")]);
    assert_eq!(each(&moves, "/after/version_number"), [1, 2, 1]);
    let promoted = &moves[1];
    let actor = &promoted["actor"];
    assert_eq!((&actor["name"], &actor["role"]), (&json!("releaser of support"), &json!("releaser")));
    assert_eq!((&actor["user"], &promoted["at"]), (&json!("grace"), &json!("2026-11-20T07:00:00.000Z")));
    assert_eq!(promoted["evidence"]["ungated"], true);
    assert_eq!(
        (&promoted["subject"], &promoted["environment"]),
        (&versions[1]["version_id"], &json!("production"))
    );
    assert_eq!(promoted["before"]["content_sha256"], versions[0]["content_sha256"]);
    let foreign = world.key("sales", "releaser").await;
    let path = Call::get(path).key(&foreign);
    world.call(path).await.refused(404, "no-such-prompt");
}

#[tokio::test]
async fn changes_are_told_over_all_prompts_that_the_key_sees_oldest_first_and_in_pages() {
    let world = World::start().await;
    let ([red, blue], [red_key, _]) = two_teams(&world).await;
    let changes = async |query: &str, key: &str| {
        list(&world.process.router, &format!("/api/changes?since={query}"), key).await
    };
    let begin = "2026-11-20T07:00:00Z";
    let all = changes(&format!("{begin}&limit=1"), ADMIN).await;
    assert_eq!(all.len(), 4);
    let of_red = changes(&format!("{begin}&limit=3"), &red_key).await;
    assert_eq!(each(&of_red, "/chain"), [&red["prompt_id"]; 2]);
    assert_eq!(each(&of_red, "/after/version_number"), [1, 2], "oldest first");
    world.clock.advance(Duration::from_secs(1));
    world.roll_back(&blue, "production").await.expect(200);
    let lock = under(&red, "environments/staging/lock");
    world.clock.advance(Duration::from_secs(1));
    world.admin(Call::put(lock, &json!({ "reason": "freeze" }))).await.expect(200);
    world.clock.advance(Duration::from_secs(1));
    world.admin(Call::delete(crate::support::itself(&red))).await.expect(200);
    let later = changes("2026-11-20T07:00:00.001Z", ADMIN).await;
    assert_eq!(each(&later, "/action"), ["rolled_back", "locked", "prompt_archived"]);
    let of_red = changes("2026-11-20T07:00:02Z", &red_key).await;
    assert_eq!(each(&of_red, "/action"), ["locked", "prompt_archived"]);
    assert_eq!(changes("2026-11-20T07:00:04Z", ADMIN).await, [Value::Null; 0]);
    let refused = async |path: &str, key: &str| world.call(Call::get(path).key(key)).await;
    refused("/api/changes", ADMIN).await.refused(422, "invalid");
    refused("/api/changes?since=today", ADMIN).await.refused(422, "invalid");
    let resolver = world.key("red", "resolver").await;
    refused(&format!("/api/changes?since={begin}"), &resolver).await.refused(403, "forbidden");
}
