//! S3: s3s over a folder. A bucket is a sub-folder.
//!
//! Its conditional puts are a check and then a write, so they decide nothing under concurrency; and it resolves
//! `../` in a key, so keys must be made by us.

use std::{fs, io, path::Path};

use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;

use super::{ACCESS_KEY, EngineError, SECRET_KEY};
use crate::http::{Server, listen};

pub(super) fn start(folder: &Path) -> Result<Server, EngineError> {
    let unwritable = |source| EngineError::Folder { folder: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(unwritable)?;
    let objects =
        FileSystem::new(folder).map_err(|error| unwritable(io::Error::other(format!("{error:?}"))))?;
    let mut service = S3ServiceBuilder::new(objects);
    // Without it, s3s refuses signed requests.
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let listener = listen().map_err(EngineError::Listen)?;
    Server::start(listener, service.build()).map_err(EngineError::Listen)
}
