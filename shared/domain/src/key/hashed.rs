//! A key of which only the hash is known.

use std::{fmt, str::FromStr};

use super::PresentedKey;

/// A key as a deployment is told its first: `<id>:<SHA-256 of the secret>`. Nobody can show it who knows no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedKey {
    /// The public part.
    pub id: String,
    /// SHA-256 of the secret, in hex.
    pub secret_sha256: String,
}

impl HashedKey {
    /// What may be known of a key everywhere.
    pub fn of(key: &PresentedKey<'_>) -> Self {
        Self { id: key.id.to_owned(), secret_sha256: key.secret_sha256() }
    }
}

impl fmt::Display for HashedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, self.secret_sha256)
    }
}

impl FromStr for HashedKey {
    type Err = &'static str;

    /// The error does not repeat the text: it could be a whole key, by mistake.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, hash) = text.split_once(':').unwrap_or_default();
        let hash_fits = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !super::is_id(id) || !hash_fits {
            return Err("it would be <id>:<SHA-256 of the secret in hex>, as `cuecard keys draw` prints it");
        }
        Ok(Self { id: id.to_owned(), secret_sha256: hash.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_and_nothing_else_does() {
        let whole = "cue_admin-1_secret";
        let hashed = HashedKey::of(&PresentedKey::parse(whole).unwrap());
        let text = hashed.to_string();
        assert_eq!(text.parse(), Ok(hashed));
        let shouted = format!("admin-1:{}", text[8..].to_uppercase());
        for bad in ["", ":", "admin-1:", &text[7..], &text[..71], &format!("{text}0"), &shouted, whole] {
            let refusal = bad.parse::<HashedKey>().unwrap_err();
            assert!(!refusal.contains("cue_"), "{bad}");
        }
    }
}
