//! Tokens and sealed texts of anybody: none reads but those that our key made, and what it made reads as it was.

#![no_main]

use std::sync::LazyLock;

use domain::{
    SigningKeyId, Timestamp,
    token::{Signer, SigningKey, kid_of},
};
use libfuzzer_sys::fuzz_target;

static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let kid = SigningKeyId::from_bytes([7; 16]);
    let key = SigningKey { kid, secret: "5a".repeat(32), created_at: Timestamp::from_millis(0) };
    Signer::new(&key).expect("the key is one")
});

fuzz_target!(|text: &str| {
    let _ = kid_of(text);
    assert!(SIGNER.verify(text, Timestamp::from_millis(0)).is_err(), "nobody guesses a signature");
    assert_eq!(SIGNER.open(text), None, "nor a seal");
    let sealed = SIGNER.seal(text);
    assert_eq!(SIGNER.open(&sealed).as_deref(), Some(text));
    assert!(SIGNER.verify(&sealed, Timestamp::from_millis(0)).is_err(), "a seal is no signature");
});
