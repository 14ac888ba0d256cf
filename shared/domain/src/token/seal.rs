//! Texts that callers carry for us and cannot read, such as where a list goes on.
//!
//! The text is `base64url(format byte || key's id || tag || text XOR stream)`, without padding. The tag is the first 16
//! bytes of an HMAC over the text; the stream is HMACs over tag and counter. So the tag is also what makes each stream
//! another one, and one text is always sealed alike: nothing has to be drawn.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac as _;
use subtle::ConstantTimeEq as _;

use super::{FORMAT, Reader, SIGNATURE_BYTES, Signer};

// What an HMAC begins with. None is what a token begins with, so that neither ever stands for another.
const OF_TEXT: u8 = 0x80;
const OF_STREAM: u8 = 0x81;

type Tag = [u8; SIGNATURE_BYTES];

impl Signer {
    /// Seals a text.
    pub fn seal(&self, text: &str) -> String {
        let tag = self.tag(text.as_bytes());
        let mut bytes = vec![FORMAT];
        bytes.extend(self.kid.to_bytes());
        bytes.extend(tag);
        bytes.extend(self.mixed(&tag, text.as_bytes()));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The text that this key sealed; `None` where it did not, or somebody altered it.
    pub fn open(&self, sealed: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let mut reader = Reader(&bytes);
        let ([FORMAT], _kid) = (reader.take()?, reader.take::<16>()?) else { return None };
        let tag: Tag = reader.take()?;
        let text = self.mixed(&tag, reader.0);
        bool::from(self.tag(&text).ct_eq(&tag)).then(|| String::from_utf8(text).ok())?
    }

    fn tag(&self, text: &[u8]) -> Tag {
        let mac = self.mac.clone().chain_update([OF_TEXT]).chain_update(text).finalize().into_bytes();
        let mut tag = Tag::default();
        tag.copy_from_slice(&mac[..SIGNATURE_BYTES]);
        tag
    }

    /// A text and its sealed form are each the other, mixed with the stream.
    fn mixed(&self, tag: &Tag, bytes: &[u8]) -> Vec<u8> {
        let blocks = (0_u64..).flat_map(|counter| {
            let mac = self.mac.clone().chain_update([OF_STREAM]).chain_update(tag);
            mac.chain_update(counter.to_be_bytes()).finalize().into_bytes()
        });
        bytes.iter().zip(blocks).map(|(byte, mask)| byte ^ mask).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SigningKeyId, Timestamp, token::SigningKey, token::kid_of};

    fn signer(kid: u8, secret: &str) -> Signer {
        let kid = SigningKeyId::from_bytes([kid; 16]);
        let key = SigningKey { kid, secret: secret.repeat(32), created_at: Timestamp::from_millis(0) };
        Signer::new(&key).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_alone() {
        let (ours, other) = (signer(1, "ab"), signer(1, "cd"));
        for text in ["", "a", &"long ".repeat(100), "ü"] {
            let sealed = ours.seal(text);
            assert_eq!(kid_of(&sealed), Some(ours.kid()));
            assert_eq!(ours.open(&sealed).as_deref(), Some(text));
            assert_eq!(other.open(&sealed), None);
        }
    }

    #[test]
    fn what_is_sealed_shows_nothing_of_the_text_and_bears_no_change() {
        let ours = signer(1, "ab");
        let text = "prm_00000000000000000000000000";
        let sealed = URL_SAFE_NO_PAD.decode(ours.seal(text)).unwrap();
        assert!(!sealed.windows(4).any(|part| text.as_bytes().windows(4).any(|of| of == part)));
        for at in (0..sealed.len()).filter(|at| !(1..17).contains(at)) {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(ours.open(&URL_SAFE_NO_PAD.encode(altered)), None, "{at}");
        }
        for nonsense in ["", "nonsense", "e30", &URL_SAFE_NO_PAD.encode([FORMAT; 20])] {
            assert_eq!(ours.open(nonsense), None);
        }
    }
}
