//! Resolution tokens: what they say, and which of them `continue` takes.

use std::time::Duration;

use domain::{
    SigningKeyId,
    token::{Resolution, Signer, SigningKey, UnitKind, kid_of, unit64},
};
use e2e::text;
use serde_json::Value;

use store::keys::Key;

use crate::scene::{Scene, pointers};

const DAY: Duration = Duration::from_hours(24);

impl Scene {
    /// Reads a token with the stored key.
    pub async fn verified(&self, token: &str) -> Resolution {
        let key = self.world.registry().store.newest_signing_key().await.unwrap().unwrap();
        assert_eq!(kid_of(token), Some(key.kid));
        Signer::new(&key).unwrap().verify(token, self.world.registry().sources.now()).unwrap()
    }

    async fn token(&self, more: &[(&str, &str)]) -> (Value, String) {
        let query: Vec<_> = [("prompt", "greeter")].iter().chain(more).copied().collect();
        let answer = self.get(&query).await.expect(200);
        let token = text(&answer["resolution_token"]).to_owned();
        (answer, token)
    }

    async fn continues(&self, token: &str) -> e2e::Answer {
        self.get(&[("prompt", "greeter"), ("continue", token)]).await
    }
}

async fn greeter() -> Scene {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    scene
}

#[tokio::test]
async fn a_token_says_what_answered_when_and_for_whom() {
    let scene = greeter().await;
    let prompt = scene.live("staged", r#"{"template_text": "x"}"#).await;
    let version = scene.version(&prompt, r#"{"template_text": "y"}"#).await;
    scene.world.promote(&prompt, &version, "staging").await.expect(200);
    let query = [("prompt", "staged"), ("env", "staging"), ("user_id", "юзер 1")];
    let answer = scene.get(&query).await.expect(200);
    let said = scene.verified(text(&answer["resolution_token"])).await;
    assert_eq!(said.prompt_id.to_string(), text(&prompt["prompt_id"]));
    assert_eq!(said.version_id.to_string(), text(&version["version_id"]));
    assert_eq!((said.environment.as_str(), said.assignment), ("staging", None));
    assert_eq!((said.unit_kind, said.unit64), (UnitKind::User, unit64("", "юзер 1")));
    assert_eq!(said.issued_at, scene.world.registry().sources.now());
}

#[tokio::test]
async fn the_unit_is_the_first_of_user_conversation_and_request_that_is_not_blank() {
    let scene = greeter().await;
    let (user, conversation, request) = (("user_id", "u"), ("conversation_id", "c"), ("request_id", "r"));
    for (given, kind, unit, sticky) in [
        (&[user, conversation, request] as &[_], UnitKind::User, Some("u"), true),
        (&[conversation, request], UnitKind::Conversation, Some("c"), true),
        (&[("session_id", "c")], UnitKind::Conversation, Some("c"), true),
        (&[request], UnitKind::Request, Some("r"), false),
        (&[("user_id", " \t"), ("conversation_id", ""), request], UnitKind::Request, Some("r"), false),
        (&[("user_id", ""), conversation], UnitKind::Conversation, Some("c"), true),
        (&[("user_id", "  ")], UnitKind::Random, None, false),
        (&[], UnitKind::Random, None, false),
    ] {
        let (answer, token) = scene.token(given).await;
        let said = scene.verified(&token).await;
        assert_eq!((said.unit_kind, &answer["sticky"]), (kind, &Value::Bool(sticky)), "{given:?}");
        if let Some(unit) = unit {
            assert_eq!(said.unit64, unit64("", unit), "{given:?}");
        }
    }
}

#[tokio::test]
async fn no_two_tokens_are_alike() {
    let scene = greeter().await;
    let (_, first) = scene.token(&[("user_id", "u")]).await;
    let (_, second) = scene.token(&[("user_id", "u")]).await;
    let (first, second) = (scene.verified(&first).await, scene.verified(&second).await);
    assert_ne!(first.nonce, second.nonce);
    assert_eq!(first.unit64, second.unit64);
    let (_, third) = scene.token(&[]).await;
    let (_, fourth) = scene.token(&[]).await;
    assert_ne!(
        scene.verified(&third).await.unit64,
        scene.verified(&fourth).await.unit64,
        "a random unit is new"
    );
}

#[tokio::test]
async fn a_conversation_continues_with_a_token_of_ours_for_35_days() {
    let scene = greeter().await;
    let (_, token) = scene.token(&[("conversation_id", "c")]).await;
    scene.continues(&token).await.expect(200);
    scene.world.clock.advance(35 * DAY);
    scene.continues(&token).await.expect(200);
    scene.world.clock.advance(Duration::from_millis(1));
    let refused = scene.continues(&token).await.refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/continue"]);
    assert!(text(&refused["detail"]).contains("35 days"), "{refused}");
}

#[tokio::test]
async fn a_token_that_is_not_ours_does_not_continue() {
    let scene = greeter().await;
    let (_, token) = scene.token(&[]).await;
    let stranger = SigningKey {
        kid: kid_of(&token).unwrap(),
        secret: "00".repeat(32),
        created_at: scene.world.registry().sources.now(),
    };
    let said = scene.verified(&token).await;
    let forged = Signer::new(&stranger).unwrap().sign(&said);
    let nobody = SigningKey { kid: SigningKeyId::from_bytes([7; 16]), ..stranger };
    let unknown = Signer::new(&nobody).unwrap().sign(&said);
    let flip = if token.ends_with('A') { "B" } else { "A" };
    let altered = format!("{}{flip}{}", &token[..60], &token[61..]);
    let altered = if altered == token { format!("{}C{}", &token[..60], &token[61..]) } else { altered };
    for wrong in ["x", "🗝", &token[1..], &token[..token.len() - 4], &altered, &forged, &unknown] {
        let refused = scene.continues(wrong).await.refused(422, "invalid");
        assert_eq!(pointers(&refused), ["/continue"], "{wrong}");
    }
}

#[tokio::test]
async fn a_token_of_a_former_signing_key_still_continues_while_the_key_is_young() {
    let scene = greeter().await;
    let (_, old) = scene.token(&[]).await;
    let sources = &scene.world.registry().sources;
    scene.world.clock.advance(20 * DAY);
    let next = SigningKey { kid: sources.id(), secret: "07".repeat(32), created_at: sources.now() };
    scene.world.registry().store.put_signing_key(&next).await.unwrap();
    // Memory holds a signing key for ten minutes.
    scene.world.clock.advance(Duration::from_mins(11));
    let (_, new) = scene.token(&[]).await;
    assert_eq!(kid_of(&new), Some(next.kid));
    scene.continues(&new).await.expect(200);
    let reads = scene.reads(|key| matches!(key, Key::SigningKey(_)));
    for _ in 0..3 {
        scene.continues(&old).await.expect(200);
        scene.world.clock.advance(DAY);
    }
    assert_eq!(reads.injected(), 1, "it never changes, and stays in memory");
}
