//! Requests to the tables and the bucket, sent as boxed futures.
//!
//! An `async fn` is compiled in each crate that awaits it, and all that it awaits with it. The box keeps the SDK behind
//! a request in this crate, where it is compiled once, and out of the futures of everybody above.

use std::pin::Pin;

use aws_sdk_dynamodb::{error::SdkError, operation as table};
use aws_sdk_s3::operation as bucket;

/// The answer to a request, when it comes.
pub(crate) type Answer<T, E> = Pin<Box<dyn Future<Output = Result<T, SdkError<E>>> + Send>>;

/// A request that can be sent.
pub(crate) trait Sent {
    /// What is answered.
    type Output;
    /// What it fails with.
    type Error;

    /// Sends it.
    fn sent(self) -> Answer<Self::Output, Self::Error>;
}

macro_rules! sent {
    ($($request:ty => $output:ty, $error:ty;)*) => {
        $(impl Sent for $request {
            type Output = $output;
            type Error = $error;

            fn sent(self) -> Answer<Self::Output, Self::Error> {
                Box::pin(self.send())
            }
        })*
    };
}

sent! {
    table::batch_get_item::builders::BatchGetItemFluentBuilder =>
        table::batch_get_item::BatchGetItemOutput, table::batch_get_item::BatchGetItemError;
    table::create_table::builders::CreateTableFluentBuilder =>
        table::create_table::CreateTableOutput, table::create_table::CreateTableError;
    table::delete_item::builders::DeleteItemFluentBuilder =>
        table::delete_item::DeleteItemOutput, table::delete_item::DeleteItemError;
    table::get_item::builders::GetItemFluentBuilder =>
        table::get_item::GetItemOutput, table::get_item::GetItemError;
    table::put_item::builders::PutItemFluentBuilder =>
        table::put_item::PutItemOutput, table::put_item::PutItemError;
    table::query::builders::QueryFluentBuilder =>
        table::query::QueryOutput, table::query::QueryError;
    table::transact_write_items::builders::TransactWriteItemsFluentBuilder =>
        table::transact_write_items::TransactWriteItemsOutput, table::transact_write_items::TransactWriteItemsError;
    table::update_item::builders::UpdateItemFluentBuilder =>
        table::update_item::UpdateItemOutput, table::update_item::UpdateItemError;
    table::update_time_to_live::builders::UpdateTimeToLiveFluentBuilder =>
        table::update_time_to_live::UpdateTimeToLiveOutput, table::update_time_to_live::UpdateTimeToLiveError;
    bucket::create_bucket::builders::CreateBucketFluentBuilder =>
        bucket::create_bucket::CreateBucketOutput, bucket::create_bucket::CreateBucketError;
    bucket::delete_object::builders::DeleteObjectFluentBuilder =>
        bucket::delete_object::DeleteObjectOutput, bucket::delete_object::DeleteObjectError;
    bucket::get_object::builders::GetObjectFluentBuilder =>
        bucket::get_object::GetObjectOutput, bucket::get_object::GetObjectError;
    bucket::head_bucket::builders::HeadBucketFluentBuilder =>
        bucket::head_bucket::HeadBucketOutput, bucket::head_bucket::HeadBucketError;
    bucket::list_objects_v2::builders::ListObjectsV2FluentBuilder =>
        bucket::list_objects_v2::ListObjectsV2Output, bucket::list_objects_v2::ListObjectsV2Error;
    bucket::put_object::builders::PutObjectFluentBuilder =>
        bucket::put_object::PutObjectOutput, bucket::put_object::PutObjectError;
}
