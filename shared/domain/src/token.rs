//! Resolution tokens: what answered a resolve, signed, so that a metric finds its version without a lookup.
//!
//! The text is `base64url(payload || first 16 bytes of HMAC-SHA256(key, payload))`, without padding. The payload is
//! binary: a format byte, the key's id, then the fields in the order of [`Resolution`]; texts are length-prefixed.

mod seal;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    Environment, ExperimentId, PromptId, RolloutId, SigningKeyId, Sources, Timestamp, VersionId,
    allocation::TrialId,
};

const FORMAT: u8 = 1;
const SIGNATURE_BYTES: usize = 16;

// What the byte before an assignment says.
const UNASSIGNED: u8 = 0;
const IN_EXPERIMENT: u8 = 1;
const IN_CANARY: u8 = 2;

/// How long a token says anything.
pub const VALIDITY: Duration = Duration::from_hours(35 * 24);

/// An HMAC key of tokens. The newest signs; those under 45 days old verify.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// Its id.
    pub kid: SigningKeyId,
    /// 32 secret bytes, in hex.
    pub secret: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl SigningKey {
    /// A key of this moment.
    pub fn generate(sources: &Sources) -> Self {
        let secret = hex::encode(sources.bytes::<32>());
        Self { kid: sources.id(), secret, created_at: sources.now() }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// What kind of thing was assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// A user.
    User,
    /// A conversation.
    Conversation,
    /// One request: not sticky.
    Request,
    /// Nobody was named: not sticky.
    Random,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The version that answered.
    pub version_id: VersionId,
    /// The environment.
    pub environment: Environment,
    /// The arm, when a trial ran.
    pub assignment: Option<Assignment>,
    /// What was assigned to an arm, or would be.
    pub unit_kind: UnitKind,
    /// The first 8 bytes of SHA-256 over trial and unit.
    pub unit64: [u8; 8],
    /// Tells one resolve from another.
    pub nonce: [u8; 8],
    /// When.
    pub issued_at: Timestamp,
}

/// A place in an experiment or a canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Which one.
    pub trial: TrialId,
    /// Which of its runs.
    pub iteration: u32,
    /// The weights in force.
    pub allocation_version: u64,
    /// The arm's key, at most 255 bytes.
    pub arm: String,
}

/// Why a token says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token, cut, or altered.
    #[error("the token is not one of ours, or it was altered")]
    Invalid,
    /// Too old.
    #[error("the token is over 35 days old")]
    Expired,
}

/// The 8 bytes by which a unit is known without being named.
pub fn unit64(trial: &str, unit: &str) -> [u8; 8] {
    let digest = Sha256::new().chain_update(trial).chain_update([0x1f]).chain_update(unit).finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    first
}

/// A key made ready for signing.
#[derive(Clone, Debug)]
pub struct Signer {
    kid: SigningKeyId,
    mac: Hmac<Sha256>,
}

impl Signer {
    /// Makes a key ready; `None` when its secret is damaged.
    pub fn new(key: &SigningKey) -> Option<Self> {
        let secret = hex::decode(&key.secret).ok()?;
        Some(Self { kid: key.kid, mac: Hmac::new_from_slice(&secret).ok()? })
    }

    /// Which key this is.
    pub fn kid(&self) -> SigningKeyId {
        self.kid
    }

    /// The token's text.
    pub fn sign(&self, resolution: &Resolution) -> String {
        let mut bytes = Vec::with_capacity(128);
        bytes.push(FORMAT);
        bytes.extend(self.kid.to_bytes());
        bytes.extend(resolution.prompt_id.to_bytes());
        bytes.extend(resolution.version_id.to_bytes());
        push_text(&mut bytes, resolution.environment.as_str());
        match &resolution.assignment {
            Some(assignment) => push_assignment(&mut bytes, assignment),
            None => bytes.push(UNASSIGNED),
        }
        bytes.push(resolution.unit_kind as u8);
        bytes.extend(resolution.unit64);
        bytes.extend(resolution.nonce);
        bytes.extend(resolution.issued_at.as_millis().to_be_bytes());
        let signature = self.mac.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend(&signature[..SIGNATURE_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token that this key signed.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Resolution, TokenError> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenError::Invalid)?;
        let cut = bytes.len().checked_sub(SIGNATURE_BYTES).ok_or(TokenError::Invalid)?;
        let (payload, signature) = bytes.split_at(cut);
        let expected = self.mac.clone().chain_update(payload).finalize().into_bytes();
        if !bool::from(expected[..SIGNATURE_BYTES].ct_eq(signature)) {
            return Err(TokenError::Invalid);
        }
        let resolution = Reader(payload).resolution().ok_or(TokenError::Invalid)?;
        // A token from the future, of a clock ahead of ours, is as good as one of now.
        match now.since(resolution.issued_at) {
            Some(age) if age > VALIDITY => Err(TokenError::Expired),
            _ => Ok(resolution),
        }
    }
}

/// The id of the key that signed a token, unverified: only good for finding the key.
pub fn kid_of(token: &str) -> Option<SigningKeyId> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let mut reader = Reader(&bytes);
    (reader.take::<1>()? == [FORMAT]).then(|| reader.take().map(SigningKeyId::from_bytes))?
}

/// Environments and arm keys are far shorter than the 255 bytes that their length prefix can say.
fn push_text(bytes: &mut Vec<u8>, text: &str) {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    bytes.push(length);
    bytes.extend(&text.as_bytes()[..usize::from(length)]);
}

fn push_assignment(bytes: &mut Vec<u8>, assignment: &Assignment) {
    let (kind, trial) = match assignment.trial {
        TrialId::Experiment(id) => (IN_EXPERIMENT, id.to_bytes()),
        TrialId::Rollout(id) => (IN_CANARY, id.to_bytes()),
    };
    bytes.push(kind);
    bytes.extend(trial);
    bytes.extend(assignment.iteration.to_be_bytes());
    bytes.extend(assignment.allocation_version.to_be_bytes());
    push_text(bytes, &assignment.arm);
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn text(&mut self) -> Option<String> {
        let [length] = self.take()?;
        let (taken, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        String::from_utf8(taken.to_vec()).ok()
    }

    fn assignment(&mut self) -> Option<Option<Assignment>> {
        let trial = match self.take()? {
            [UNASSIGNED] => return Some(None),
            [IN_EXPERIMENT] => ExperimentId::from_bytes(self.take()?).into(),
            [IN_CANARY] => RolloutId::from_bytes(self.take()?).into(),
            _ => return None,
        };
        Some(Some(Assignment {
            trial,
            iteration: u32::from_be_bytes(self.take()?),
            allocation_version: u64::from_be_bytes(self.take()?),
            arm: self.text()?,
        }))
    }

    fn resolution(&mut self) -> Option<Resolution> {
        let [format] = self.take()?;
        let _kid: [u8; 16] = self.take()?;
        let resolution = Resolution {
            prompt_id: PromptId::from_bytes(self.take()?),
            version_id: VersionId::from_bytes(self.take()?),
            environment: self.text()?.parse().ok()?,
            assignment: self.assignment()?,
            unit_kind: match self.take()? {
                [0] => UnitKind::User,
                [1] => UnitKind::Conversation,
                [2] => UnitKind::Request,
                [3] => UnitKind::Random,
                _ => return None,
            },
            unit64: self.take()?,
            nonce: self.take()?,
            issued_at: Timestamp::from_millis(i64::from_be_bytes(self.take()?)),
        };
        (format == FORMAT && self.0.is_empty()).then_some(resolution)
    }
}

#[cfg(test)]
mod tests;
