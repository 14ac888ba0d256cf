//! Keys read back, and never meet.

use domain::Timestamp;
use proptest::prelude::*;

use super::*;

fn any_key() -> impl Strategy<Value = Key> {
    let id = (0..i64::from(u32::MAX), any::<[u8; 10]>());
    let prompt = id.clone().prop_map(|(t, r)| PromptId::new(Timestamp::from_millis(t), r));
    let bytes = any::<[u8; 16]>();
    let team = "[a-z0-9_-]{1,64}".prop_map(|t| t.parse::<TeamId>().unwrap());
    let scope = prop_oneof![Just(TeamScope::All), team.clone().prop_map(TeamScope::Team),];
    let environment = "[a-z0-9][a-z0-9._-]{0,35}".prop_map(|e| e.parse::<Environment>().unwrap());
    let trial = bytes.prop_map(|b| TrialId::from(domain::ExperimentId::from_bytes(b)));
    prop_oneof![
        (prompt.clone(), trial.clone()).prop_map(|(p, t)| Key::Trial(p, t)),
        trial.clone().prop_map(Key::TrialById),
        (trial, 0..10_000_000_000_u64).prop_map(|(t, n)| Key::Weights(t, n)),
        prompt.clone().prop_map(Key::Prompt),
        (team, "\\PC{1,60}").prop_map(|(team, name)| Key::Name(team, name)),
        (prompt.clone(), 0..100_000_000_u32).prop_map(|(p, n)| Key::Version(p, n)),
        (prompt.clone(), 0..100_000_000_u32).prop_map(|(p, n)| Key::VersionState(p, n)),
        bytes.prop_map(|b| Key::VersionById(VersionId::from_bytes(b))),
        (prompt.clone(), environment).prop_map(|(p, e)| Key::Ref(p, e)),
        (prompt.clone(), bytes).prop_map(|(p, b)| Key::PromptAudit(p, AuditId::from_bytes(b))),
        (scope.clone(), bytes).prop_map(|(t, b)| Key::TeamAudit(t, AuditId::from_bytes(b))),
        (prompt, bytes).prop_map(|(p, b)| Key::Run(p, EvalRunId::from_bytes(b))),
        bytes.prop_map(|b| Key::RunById(EvalRunId::from_bytes(b))),
        bytes.prop_map(|b| Key::TestSet(TestSetId::from_bytes(b))),
        (bytes, 0..10_000_u32).prop_map(|(b, n)| Key::TestSetVersion(TestSetId::from_bytes(b), n)),
        scope.prop_map(Key::Team),
        "[A-Za-z0-9-]{1,64}".prop_map(Key::ApiKey),
        bytes.prop_map(|b| Key::Webhook(WebhookId::from_bytes(b))),
        bytes.prop_map(|b| Key::SigningKey(SigningKeyId::from_bytes(b))),
        "\\PC{1,60}".prop_map(Key::Model),
        "[0-9a-f]{64}".prop_map(Key::Session),
        Just(Key::AuditRound),
        ("[A-Za-z0-9-]{1,64}", "[0-9a-f]{64}").prop_map(|(k, h)| Key::Idempotency(k, h)),
    ]
}

proptest! {
    #[test]
    fn what_was_formatted_reads_back(key in any_key()) {
        prop_assert_eq!(Key::parse(&key.pk(), &key.sk()), Some(key));
    }

    #[test]
    fn two_keys_never_meet(a in any_key(), b in any_key()) {
        prop_assert_eq!(a == b, (a.pk(), a.sk()) == (b.pk(), b.sk()));
    }

    #[test]
    fn any_text_is_read_without_harm(pk in "\\PC{0,60}", sk in "\\PC{0,60}") {
        if let Some(key) = Key::parse(&pk, &sk) {
            prop_assert!(key.pk().starts_with(pk.split('#').next().unwrap()));
        }
    }
}

#[test]
fn versions_sort_as_numbers_do() {
    let prompt = PromptId::from_bytes([0; 16]);
    assert!(Key::Version(prompt, 9).sk() < Key::Version(prompt, 10).sk());
    assert_eq!(Key::Version(prompt, 12).sk(), format!("{VERSIONS}00000012"));
}
