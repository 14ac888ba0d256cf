//! Profiles: where to ask, and with which key. They are kept in one file that nobody else may read.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use crate::{
    arguments::Globals,
    failure::{Failure, Result},
};

/// The name of the profile of those who name none.
pub const DEFAULT: &str = "default";

/// Where to ask, and with which key.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub url: String,
    pub api_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// All profiles.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    /// The one of the last login.
    pub current: Option<String>,
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
}

/// The file in which they are.
pub struct ProfileFile(PathBuf);

impl ProfileFile {
    /// Where it is for this person.
    pub fn new(globals: &Globals) -> Result<Self> {
        let of_all = globals.xdg_config_home.clone().filter(|folder| folder.is_absolute());
        let of_all = of_all.or_else(|| Some(std::env::home_dir()?.join(".config")));
        let ours = globals.config_folder.clone().or_else(|| Some(of_all?.join("cuecard")));
        let ours = ours.ok_or_else(|| {
            Failure::Usage("There is no home folder to keep profiles in: say --config-folder".to_owned())
        })?;
        Ok(Self(ours.join("profiles.json")))
    }

    /// All profiles; none before the first login.
    pub fn read(&self) -> Result<Profiles> {
        let file = || Failure::file(&self.0);
        match fs::metadata(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Profiles::default()),
            Err(error) => return Err(file()(error)),
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                let path = self.0.display();
                return Err(Failure::Failed(format!(
                    "{path} holds keys, and others may read it. Say: chmod 600 {path}"
                )));
            }
            Ok(_) => {}
        }
        let text = fs::read_to_string(&self.0).map_err(file())?;
        serde_json::from_str(&text).map_err(|error| file()(io::Error::new(io::ErrorKind::InvalidData, error)))
    }

    /// Writes all profiles: the old file or the new one is there, never half of it.
    pub fn write(&self, profiles: &Profiles) -> Result {
        let written = || -> io::Result<()> {
            if let Some(folder) = self.0.parent() {
                fs::create_dir_all(folder)?;
            }
            let fresh = self.0.with_extension("json.new");
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
            file.write_all(&serde_json::to_vec_pretty(profiles)?)?;
            file.sync_all()?;
            fs::rename(&fresh, &self.0)
        };
        written().map_err(Failure::file(&self.0))
    }
}

impl Profiles {
    /// The profile that was asked for by name, or the one of the last login; none before that.
    pub fn chosen(&self, name: Option<&str>) -> Result<Option<&Profile>> {
        let Some(name) = name else {
            return Ok(self.current.as_ref().and_then(|name| self.profiles.get(name)));
        };
        let known = || self.profiles.keys().cloned().collect::<Vec<_>>().join(", ");
        self.profiles.get(name).map(Some).ok_or_else(|| {
            Failure::Usage(format!(
                "There is no profile `{name}` (there are: {}). Say: cuecard login",
                known()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn profiles_are_kept_for_their_owner_alone() {
        let folder = TempDir::new().unwrap();
        let file = ProfileFile(folder.path().join("deep/profiles.json"));
        assert!(file.read().unwrap() == Profiles::default());
        let profile = Profile { url: "http://a".into(), api_key: "cue_a_b".into(), team: None };
        let profiles = Profiles { current: Some("a".into()), profiles: [("a".to_owned(), profile)].into() };
        file.write(&profiles).unwrap();
        assert_eq!(fs::metadata(&file.0).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(file.read().unwrap() == profiles);
        assert_eq!(profiles.chosen(None).unwrap().unwrap().url, "http://a");
        assert_eq!(profiles.chosen(Some("b")).err().unwrap().exit_code(), 2);

        fs::set_permissions(&file.0, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(file.read().err().unwrap().to_string().contains("chmod 600"));
    }
}
