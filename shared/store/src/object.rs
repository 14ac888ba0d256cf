//! The objects of the bucket. The table decides; the bucket stores: no condition on an object ever decides anything.

use aws_sdk_s3::primitives::ByteStream;
use domain::{Error, Result};

use crate::{Store, TestSetVersion, sent::Sent};

impl Store {
    /// Stores the cases of a test set's version.
    pub async fn put_dataset(&self, version: &TestSetVersion, bytes: Vec<u8>) -> Result<()> {
        self.s3
            .put_object()
            .bucket(&self.names.bucket)
            .key(&version.object)
            .body(ByteStream::from(bytes))
            .sent()
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// Reads all cases of a test set's version.
    pub async fn dataset(&self, version: &TestSetVersion) -> Result<Vec<u8>> {
        self.read_dataset(version, None).await
    }

    /// Reads `length` bytes from `offset`: one case.
    pub async fn dataset_range(&self, version: &TestSetVersion, offset: u64, length: u64) -> Result<Vec<u8>> {
        let last = offset + length.saturating_sub(1);
        self.read_dataset(version, Some(format!("bytes={offset}-{last}"))).await
    }

    async fn read_dataset(&self, version: &TestSetVersion, range: Option<String>) -> Result<Vec<u8>> {
        let answer = self
            .s3
            .get_object()
            .bucket(&self.names.bucket)
            .key(&version.object)
            .set_range(range)
            .sent()
            .await
            .map_err(|error| match error.as_service_error() {
                Some(service) if service.is_no_such_key() => {
                    Error::not_found("test set's cases").caused_by(error)
                }
                _ => unavailable(error),
            })?;
        Ok(answer.body.collect().await.map_err(unavailable)?.to_vec())
    }

    /// Deletes the cases of a test set's version; that they are gone already is fine.
    pub async fn delete_dataset(&self, version: &TestSetVersion) -> Result<()> {
        self.delete_object(&version.object).await
    }

    /// Deletes an object; that it is gone already is fine.
    pub(crate) async fn delete_object(&self, key: &str) -> Result<()> {
        let delete = self.s3.delete_object().bucket(&self.names.bucket).key(key);
        delete.sent().await.map(|_| ()).map_err(unavailable)
    }
}

pub(crate) fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unavailable("The store of test sets", error)
}
