//! Uploads past the API: what is too large for a request goes straight into the bucket, and is looked at from there.

use std::time::Duration;

use aws_sdk_s3::{operation::get_object::GetObjectError, presigning::PresigningConfig};
use domain::{Error, Result, TestSetId, test_set::MAX_TEST_SET_BYTES};

use crate::{Store, keys::upload_object, object::unavailable, sent::Sent};

/// How long somebody may begin an upload.
pub const UPLOAD_FOR: Duration = Duration::from_mins(15);

impl Store {
    /// A URL to which one file may be put, for [`UPLOAD_FOR`].
    pub async fn upload_url(&self, set: TestSetId, upload: &str) -> Result<String> {
        let signing = PresigningConfig::expires_in(UPLOAD_FOR).map_err(Error::internal)?;
        let put = self.s3.put_object().bucket(&self.names.bucket).key(upload_object(set, upload));
        Ok(put.presigned(signing).await.map_err(Error::internal)?.uri().to_owned())
    }

    /// What was uploaded; `None` where nothing was, and an error where it is too large to be read.
    pub async fn uploaded(&self, set: TestSetId, upload: &str) -> Result<Option<Vec<u8>>> {
        let get = self.s3.get_object().bucket(&self.names.bucket).key(upload_object(set, upload));
        let answer = match get.sent().await {
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(None);
            }
            answer => answer.map_err(unavailable)?,
        };
        let length = answer.content_length().and_then(|length| usize::try_from(length).ok());
        if length.is_none_or(|length| length > MAX_TEST_SET_BYTES) {
            let detail = format!("A test set has at most {MAX_TEST_SET_BYTES} bytes.");
            return Err(Error::invalid("/upload_id", detail));
        }
        Ok(Some(answer.body.collect().await.map_err(unavailable)?.to_vec()))
    }

    /// Takes an upload away, once it was read or is not wanted.
    pub async fn delete_upload(&self, set: TestSetId, upload: &str) -> Result<()> {
        self.delete_object(&upload_object(set, upload)).await
    }
}
