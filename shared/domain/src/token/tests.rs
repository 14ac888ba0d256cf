//! Tokens say what was signed, and nothing else verifies.

use proptest::prelude::*;

use super::*;

fn signer(secret: u8) -> Signer {
    let now = Timestamp::from_millis(1_795_158_000_000);
    let key = SigningKey {
        kid: SigningKeyId::new(now, [1; 10]),
        secret: hex::encode([secret; 32]),
        created_at: now,
    };
    Signer::new(&key).unwrap()
}

fn resolution(issued_at: i64) -> Resolution {
    Resolution {
        prompt_id: PromptId::from_bytes([1; 16]),
        version_id: VersionId::from_bytes([2; 16]),
        environment: "production".parse().unwrap(),
        assignment: Some(Assignment {
            trial: ExperimentId::from_bytes([3; 16]).into(),
            iteration: 2,
            allocation_version: 7,
            arm: "B".to_owned(),
        }),
        unit_kind: UnitKind::Conversation,
        unit64: unit64("", "юзер"),
        nonce: [4; 8],
        issued_at: Timestamp::from_millis(issued_at),
    }
}

#[test]
fn a_token_lives_for_35_days_and_for_its_key() {
    let token = signer(1).sign(&resolution(0));
    let days = |n: i64| Timestamp::from_millis(n * 86_400_000);
    assert_eq!(signer(1).verify(&token, days(35)), Ok(resolution(0)));
    assert_eq!(signer(1).verify(&token, days(36)), Err(TokenError::Expired));
    assert_eq!(signer(2).verify(&token, days(1)), Err(TokenError::Invalid));
    assert_eq!(kid_of(&token), Some(signer(1).kid()));
}

#[test]
fn a_token_tells_an_experiment_from_a_canary_and_from_neither() {
    let at = Timestamp::from_millis(5);
    let experiment = resolution(5).assignment.unwrap();
    let canary = Assignment { trial: RolloutId::from_bytes([3; 16]).into(), ..experiment.clone() };
    for assignment in [Some(experiment), Some(canary), None] {
        let said = Resolution { assignment, ..resolution(5) };
        assert_eq!(signer(1).verify(&signer(1).sign(&said), at), Ok(said));
    }
}

/// Tokens live for 35 days, across releases: these texts may not change while [`FORMAT`] is 1.
#[test]
fn tokens_are_written_and_read_as_by_former_releases() {
    let unassigned = "AQGh98FBgAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAgICAgICAgICAgICAgICAgpwcm9kdWN0aW9uAAEm\
        FgNg1wLn4AQEBAQEBAQEAAAAAAAAAAViz7jMArXzl6En-PE15OCe";
    let in_experiment = "AQGh98FBgAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAgICAgICAgICAgICAgICAgpwcm9kdWN0aW9uAQMD\
        AwMDAwMDAwMDAwMDAwMAAAACAAAAAAAAAAcBQgEmFgNg1wLn4AQEBAQEBAQEAAAAAAAAAAX3JqnUfqfYfCa6\
        GoNJoH6r";
    let said = Resolution { assignment: None, ..resolution(5) };
    for (text, said) in [(unassigned, said), (in_experiment, resolution(5))] {
        assert_eq!(signer(1).sign(&said), text);
        assert_eq!(signer(1).verify(text, Timestamp::from_millis(5)), Ok(said));
    }
}

proptest! {
    #[test]
    fn no_altered_token_verifies(at in 0_usize..1000, flip in 1_u8..=255) {
        let token = signer(1).sign(&resolution(5));
        let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= flip;
        let altered = URL_SAFE_NO_PAD.encode(&bytes);
        prop_assert_eq!(signer(1).verify(&altered, Timestamp::from_millis(5)), Err(TokenError::Invalid));
    }

    #[test]
    fn any_text_is_refused_without_harm(text in "\\PC{0,200}") {
        prop_assert!(signer(1).verify(&text, Timestamp::from_millis(5)).is_err());
        let _ = kid_of(&text);
    }
}
