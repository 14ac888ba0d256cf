//! The first key of a deployment: drawn on its operator's machine, made there by its hash alone.

use std::time::Duration;

use domain::key::{HashedKey, PresentedKey};
use e2e::{Answer, Call, World, text};
use serde_json::{Value, json};

use crate::stage::Stage;

/// A key, drawn where nothing listens and nobody is signed in.
async fn drawn(stage: &Stage) -> (String, HashedKey) {
    let nowhere = [("CUECARD_URL", "http://127.0.0.1:9")];
    let said = stage.said(&["keys", "draw", "-o", "json"], &nowhere).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    let drawn = said.json();
    let secret = text(&drawn["secret"]).to_owned();
    let id = PresentedKey::parse(&secret).unwrap().id.to_owned();
    assert_eq!(drawn["key_id"], format!("key_{id}"));
    (secret, text(&drawn["admin_key"]).parse().unwrap())
}

/// Lets `steer` do its work, as it does where it is told this key; says whether it made it.
async fn steered(world: &World, key: &HashedKey) -> bool {
    let app = steer::App { admin_key: Some(key.clone()), ..world.steering(steer::STUCK_AFTER) };
    Box::pin(steer::handle(&app)).await.unwrap().admin_key_made
}

async fn keys(world: &World, key: &str) -> Answer {
    world.call(Call::get("/api/keys?team_id=*").key(key)).await
}

/// How often the audit says that a key was made.
async fn made(world: &World, key_id: &str) -> usize {
    let audit = world.admin(Call::get("/api/audit")).await.expect(200);
    let entries = audit["data"].as_array().unwrap().iter();
    let of_key = |entry: &&Value| entry["action"] == "key_created" && entry["after"]["key_id"] == key_id;
    let of_key: Vec<_> = entries.filter(of_key).collect();
    assert!(of_key.iter().all(|entry| entry["actor"]["name"] == "installation"), "{audit}");
    of_key.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawn_key_opens_where_its_hash_is_known_and_is_made_once() {
    let (stage, world) = (Stage::empty().await, World::start().await);
    let (secret, hashed) = drawn(&stage).await;
    keys(&world, &secret).await.refused(401, "unauthenticated");
    world.clock.advance(Duration::from_mins(1));
    let both = tokio::join!(steered(&world, &hashed), steered(&world, &hashed));
    assert!(both.0 ^ both.1, "one of two at once makes it");
    let listed = keys(&world, &secret).await.expect(200);
    let first =
        listed["data"].as_array().unwrap().iter().find(|key| key["key_id"] == format!("key_{}", hashed.id));
    assert_eq!((&first.unwrap()["role"], &first.unwrap()["team_id"]), (&json!("admin"), &json!("*")));
    assert!(!steered(&world, &hashed).await);
    assert_eq!(made(&world, &format!("key_{}", hashed.id)).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_key_that_was_replaced_or_revoked_stays_so() {
    let (stage, world) = (Stage::empty().await, World::start().await);
    for end in ["/rotate", ""] {
        let (secret, hashed) = drawn(&stage).await;
        assert!(steered(&world, &hashed).await);
        let path = format!("/api/keys/key_{}{end}", hashed.id);
        let ending = if end.is_empty() { Call::delete(path) } else { Call::post(path, &json!({})) };
        world.call(ending.key(&secret)).await;
        world.clock.advance(Duration::from_hours(25));
        assert!(!steered(&world, &hashed).await, "{end}");
        keys(&world, &secret).await.refused(401, "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_shown_the_key_once_and_what_the_deployment_is_told() {
    let stage = Stage::empty().await;
    let said = stage.said(&["keys", "draw"], &[]).await;
    let shown = regex::Regex::new(
        r"^secret +(cue_[0-9A-Z]{26}_[0-9a-f]{48})\nparameter +AdminKey=(\S+)\n\nThe secret is shown only now: .+\n$",
    );
    let shown = shown.unwrap();
    let found = shown.captures(&said.stdout).unwrap_or_else(|| panic!("{}", said.stdout));
    let hashed = HashedKey::of(&PresentedKey::parse(&found[1]).unwrap());
    assert_eq!(&found[2], hashed.to_string());
    assert!(
        !found[2].contains(found[1].rsplit('_').next().unwrap()),
        "the deployment is not told the secret"
    );
}
