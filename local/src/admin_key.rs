//! The admin's key: given, or made once and kept in the data folder.

use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use domain::{Sources, key::PresentedKey};

use crate::{StartError, platform::Settings};

/// Where the key is kept, in the data folder.
pub(crate) const FILE: &str = "admin-key";

/// A whole key.
pub(crate) struct AdminKey {
    id: String,
    secret: String,
}

impl AdminKey {
    /// The key that was given; else the one that the folder keeps; else a fresh one, which it keeps from now on.
    pub(crate) fn of(settings: &Settings, sources: &Sources) -> Result<Self, StartError> {
        if let Some(given) = &settings.admin_key {
            return Self::parse(given).ok_or(StartError::AdminKey);
        }
        let file = settings.folder.join(FILE);
        let unusable = |reason: String| StartError::AdminKeyFile { file: file.clone(), reason };
        match fs::read_to_string(&file) {
            Ok(text) => Self::parse(text.trim()).ok_or_else(|| unusable("it holds no key".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (id, secret) = PresentedKey::generate(sources);
                let fresh = Self { id, secret };
                fresh.keep(&file).map_err(|error| unusable(error.to_string()))?;
                Ok(fresh)
            }
            Err(error) => Err(unusable(error.to_string())),
        }
    }

    /// The key as a caller shows it.
    pub(crate) fn presented(&self) -> PresentedKey<'_> {
        PresentedKey { id: &self.id, secret: &self.secret }
    }

    fn parse(text: &str) -> Option<Self> {
        let PresentedKey { id, secret } = PresentedKey::parse(text)?;
        Some(Self { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// Writes the file in one move: a kill leaves no key or a whole one. Nobody but the owner may read it.
    fn keep(&self, file: &Path) -> io::Result<()> {
        let next = file.with_extension("next");
        let mut written =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&next)?;
        writeln!(written, "{self}")?;
        written.sync_all()?;
        fs::rename(next, file)
    }
}

impl fmt::Display for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cue_{}_{}", self.id, self.secret)
    }
}
