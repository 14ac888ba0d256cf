//! What the holder of a key signs with it, for nobody but the holder.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::PresentedKey;

/// What is signed begins with this, so that no other use of the secret ever stands for it.
const OF_FILE: &[u8] = b"cuecard file\x1f";

impl PresentedKey<'_> {
    /// The HMAC-SHA256 of a file, in hex.
    pub fn sign(&self, file: &[u8]) -> String {
        // HMAC takes a key of any length.
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes());
        mac.map(|mac| hex::encode(mac.chain_update(OF_FILE).chain_update(file).finalize().into_bytes()))
            .unwrap_or_default()
    }

    /// Whether this key signed the file, in constant time.
    pub fn signed(&self, file: &[u8], signature: &str) -> bool {
        !signature.is_empty() && self.sign(file).as_bytes().ct_eq(signature.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_signed_by_one_key_and_bears_no_change() {
        let (ours, other) =
            (PresentedKey { id: "a", secret: "one" }, PresentedKey { id: "a", secret: "two" });
        let signature = ours.sign(b"file");
        assert!(ours.signed(b"file", &signature));
        assert!(!ours.signed(b"File", &signature) && !other.signed(b"file", &signature));
        assert!(!ours.signed(b"file", "") && !ours.signed(b"file", &signature[1..]));
    }
}
