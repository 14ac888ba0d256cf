//! Signatures that others can verify, and who is told of what.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    Caller, Clock, Entropy,
    audit::{Action, AuditEntry, ChainHead, Fact},
};

fn secret(text: &str) -> Secret {
    serde_json::from_value(json!(text)).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

/// A moment, with bytes of its own.
#[derive(Debug)]
struct Moment(i64);

impl Clock for Moment {
    fn now(&self) -> Timestamp {
        at(self.0)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

impl Entropy for Moment {
    fn fill(&self, bytes: &mut [u8]) {
        let own = self.0.to_be_bytes();
        bytes.iter_mut().zip(own.iter().cycle()).for_each(|(byte, own)| *byte = *own);
    }
}

fn sources(seconds: i64) -> Sources {
    Sources { clock: Arc::new(Moment(seconds)), entropy: Arc::new(Moment(seconds)) }
}

fn webhook(url: &str) -> Webhook {
    let value = json!({
        "webhook_id": "whk_00000000000000000000000000", "team_id": "a", "url": url, "events": ["promotion"],
        "format": "json", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "formers": [], "created_by": "key_a",
        "created_at": at(1000).to_string(), "disabled_at": null, "revision": 1,
    });
    serde_json::from_value(value).unwrap()
}

fn entry(action: Action, fill: impl FnOnce(&mut Fact)) -> AuditEntry {
    let mut fact = Fact::new(&Caller::system("test").actor, action, "x");
    fill(&mut fact);
    let fresh = AuditId::from_bytes([1; 16]);
    ChainHead::default().append("chain".to_owned(), fact, at(1000), fresh).unwrap().0
}

#[test]
fn a_signature_is_as_standard_webhooks_has_it() {
    let signed = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        at(1_614_265_330),
        r#"{"test": 2432232314}"#,
    );
    assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    for damaged in ["", "whsec_?", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        assert!(secret(damaged).sign("a", at(1), "b").is_err(), "{damaged}");
    }
    let shown = format!("{:?}", webhook("https://a.example"));
    assert!(shown.contains("a.example") && !shown.contains("MfKQ"), "{shown}");
}

proptest! {
    #[test]
    fn a_signature_is_of_one_secret_id_time_and_body(
        keys in any::<([u8; 32], [u8; 32])>(),
        id in "[a-z_]{1,9}",
        seconds in 0..i64::from(u32::MAX),
        body in "\\PC{0,40}",
    ) {
        let [own, other] = [keys.0, keys.1].map(|key| secret(&format!("whsec_{}", STANDARD.encode(key))));
        let signed = own.sign(&id, at(seconds), &body).unwrap();
        prop_assert_eq!(&signed, &own.sign(&id, at(seconds), &body).unwrap());
        prop_assert_ne!(&signed, &own.sign(&id, at(seconds), &format!("{body} ")).unwrap());
        prop_assert_ne!(&signed, &own.sign(&id, at(seconds + 1), &body).unwrap());
        prop_assert_ne!(&signed, &own.sign(&format!("{id}x"), at(seconds), &body).unwrap());
        prop_assert_eq!(keys.0 == keys.1, signed == other.sign(&id, at(seconds), &body).unwrap());
    }
}

#[test]
fn only_a_plain_public_address_and_at_least_one_event_are_taken() {
    let wrong = |webhook: &Webhook| {
        let error = webhook.validate(Places::default()).unwrap_err();
        error.problems().iter().map(|problem| problem.pointer.clone()).collect::<Vec<_>>()
    };
    webhook("https://hooks.example.com/a").validate(Places::default()).unwrap();
    for url in
        ["http://hooks.example.com", "https://127.0.0.1/a", "https://169.254.169.254", "ftp://a.example", ""]
    {
        assert_eq!(wrong(&webhook(url)), ["/url"], "{url}");
    }
    assert_eq!(wrong(&webhook(&format!("https://a.example/{}", "a".repeat(MAX_URL)))), ["/url"]);
    let idle = Webhook { events: BTreeSet::new(), ..webhook("https://169.254.169.254") };
    assert_eq!(wrong(&idle), ["/url", "/events"]);
}

#[test]
fn the_audit_is_told_where_a_receiver_is_without_its_path() {
    for (url, origin) in [
        ("https://a.example/services/secret", "https://a.example"),
        ("https://a.example:8443", "https://a.example:8443"),
    ] {
        assert_eq!(webhook(url).origin(), origin);
    }
}

#[test]
fn a_webhook_is_told_of_what_it_asked_for_while_it_is_there() {
    let both = [Event::Promotion, Event::ExperimentEnded];
    let asks = |events: &[Event]| Webhook {
        events: events.iter().copied().collect(),
        ..webhook("https://a.example")
    };
    assert_eq!(asks(&[Event::ExperimentEnded]).wants(&both, at(1000)), Some(Event::ExperimentEnded));
    assert_eq!(asks(&both).wants(&both, at(1000)), Some(Event::Promotion), "an entry is told once");
    assert_eq!(asks(&[Event::Rollback]).wants(&both, at(1000)), None);
    assert_eq!(asks(&both).wants(&both, at(999)), None, "it was made later");
    let gone = Webhook { disabled_at: Some(at(2000)), ..asks(&both) };
    assert_eq!(gone.wants(&both, at(3000)), None);
}

#[test]
fn an_evaluation_is_news_when_it_decides_on_a_version() {
    let ended = |purpose: &str, result: &str| {
        Event::of(&entry(Action::EvaluationEnded, |fact| {
            fact.after = json!({ "gate_result": result });
            fact.evidence = json!({ "purpose": purpose });
        }))
    };
    assert_eq!(ended("verdict", "pass"), [Event::GatePassed]);
    assert_eq!(ended("other_model", "fail"), [Event::GateFailed]);
    assert_eq!(ended("verdict", "manual_review"), [Event::ReviewNeeded]);
    assert!(ended("trial", "fail").is_empty());
    let reviewed = |approved: bool| {
        Event::of(&entry(Action::EvaluationReviewed, |fact| fact.after = json!({ "approved": approved })))
    };
    assert_eq!((reviewed(true), reviewed(false)), (vec![Event::GatePassed], vec![Event::GateFailed]));
}

#[test]
fn what_takes_the_traffic_from_a_trial_is_news_of_its_end_too() {
    let moved = |action: Action, trial: &str, evidence: serde_json::Value| {
        Event::of(&entry(action, |fact| {
            fact.before = json!({ "trial_id": trial });
            fact.evidence = evidence;
        }))
    };
    let rolled_back = moved(Action::RolledBack, "exp_1", json!({}));
    assert_eq!(rolled_back, [Event::Rollback, Event::ExperimentEnded]);
    let passed_by = moved(Action::Promoted, "rol_1", json!({}));
    assert_eq!(passed_by, [Event::Promotion, Event::CanaryEnded]);
    let grown = moved(Action::Promoted, "rol_1", json!({ "decision": { "rollout_id": "rol_1" } }));
    assert_eq!(grown, [Event::Promotion, Event::CanaryAdvanced]);
    let taken_back =
        Event::of(&entry(Action::RolledBack, |fact| fact.evidence = json!({ "rollout_id": "rol_1" })));
    assert_eq!(taken_back, [Event::Rollback, Event::CanaryEnded]);
    let archived = |trials: &[&str]| {
        Event::of(&entry(Action::PromptArchived, |fact| fact.evidence = json!({ "trials_ended": trials })))
    };
    assert_eq!(archived(&["rol_1", "exp_1", "exp_2"]), [Event::ExperimentEnded, Event::CanaryEnded]);
    assert_eq!(archived(&["rol_1"]), [Event::CanaryEnded]);
    assert!(Event::of(&entry(Action::PromptArchived, |_| {})).is_empty());
    assert_eq!(Event::of(&entry(Action::Promoted, |_| {})), [Event::Promotion]);
    assert!(Event::of(&entry(Action::Locked, |_| {})).is_empty());
}

#[test]
fn each_secret_that_was_replaced_signs_for_a_day_and_none_outlives_its_webhook() {
    const HOUR: i64 = 3600;
    let first = webhook("https://a.example");
    let second = first.rotated(&sources(0));
    let third = second.rotated(&sources(HOUR));
    let signed = |webhook: &Webhook, now: Timestamp| {
        let signatures = webhook.signatures("a", now, "b").unwrap();
        [&first, &second, &third]
            .map(|signer| signatures.contains(&signer.secret.sign("a", now, "b").unwrap()))
    };
    assert_eq!(signed(&third, at(24 * HOUR - 1)), [true, true, true]);
    assert_eq!(signed(&third, at(24 * HOUR)), [false, true, true]);
    assert_eq!(signed(&third, at(25 * HOUR)), [false, false, true]);
    assert_eq!(third.rotated(&sources(24 * HOUR)).formers.len(), 2, "the first is forgotten");
    let gone = third.disabled(&sources(2 * HOUR));
    assert_eq!((gone.disabled_at, gone.revision), (Some(at(2 * HOUR)), third.revision + 1));
    assert_eq!(signed(&gone, at(2 * HOUR)), [false; 3]);
}

#[test]
fn every_event_is_written_as_it_is_named() {
    for event in Event::ALL {
        assert_eq!(serde_json::to_value(event).unwrap(), event.name());
    }
}
