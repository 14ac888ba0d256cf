//! The objects of the bucket. The table decides; the bucket stores: no condition on an object ever decides anything.

use aws_sdk_s3::primitives::ByteStream;
use domain::{Error, Result, TestSetId};

use crate::{Store, keys::dataset_object};

impl Store {
    /// Stores the cases of a test set's version.
    pub async fn put_dataset(&self, set: TestSetId, version: u32, bytes: Vec<u8>) -> Result<()> {
        self.s3
            .put_object()
            .bucket(&self.names.bucket)
            .key(dataset_object(set, version))
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// Reads all cases of a test set's version.
    pub async fn dataset(&self, set: TestSetId, version: u32) -> Result<Vec<u8>> {
        self.read_dataset(set, version, None).await
    }

    /// Reads `length` bytes from `offset`: one case.
    pub async fn dataset_range(&self, set: TestSetId, version: u32, offset: u64, length: u64) -> Result<Vec<u8>> {
        let last = offset + length.saturating_sub(1);
        self.read_dataset(set, version, Some(format!("bytes={offset}-{last}"))).await
    }

    async fn read_dataset(&self, set: TestSetId, version: u32, range: Option<String>) -> Result<Vec<u8>> {
        let answer = self
            .s3
            .get_object()
            .bucket(&self.names.bucket)
            .key(dataset_object(set, version))
            .set_range(range)
            .send()
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
    pub async fn delete_dataset(&self, set: TestSetId, version: u32) -> Result<()> {
        self.s3
            .delete_object()
            .bucket(&self.names.bucket)
            .key(dataset_object(set, version))
            .send()
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unavailable("The store of test sets", error)
}
