//! The tables and the bucket themselves. On AWS the template makes them; `local` and the tests make them here.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
        ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification,
    },
};
use domain::{Error, Result};

use crate::{
    Store,
    sent::Sent,
    table::{INDEX, attribute, failed},
};

impl Store {
    /// Makes the tables and the bucket, where they are missing.
    pub async fn create_missing(&self) -> Result<()> {
        self.create_table(&self.names.registry, true).await?;
        self.create_table(&self.names.telemetry, false).await?;
        match self.s3.create_bucket().bucket(&self.names.bucket).sent().await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|service| {
                    service.is_bucket_already_owned_by_you() || service.is_bucket_already_exists()
                }) =>
            {
                Ok(())
            }
            Err(error) => Err(Error::unavailable("The store of test sets", error)),
        }
    }

    /// `registry` has the stream and the index.
    async fn create_table(&self, name: &str, registry: bool) -> Result<()> {
        let mut table = self
            .dynamodb()
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .key_schema(key(attribute::PK, KeyType::Hash)?)
            .key_schema(key(attribute::SK, KeyType::Range)?)
            .attribute_definitions(definition(attribute::PK)?)
            .attribute_definitions(definition(attribute::SK)?);
        if registry {
            let index = GlobalSecondaryIndex::builder()
                .index_name(INDEX)
                .key_schema(key(attribute::INDEX_PK, KeyType::Hash)?)
                .key_schema(key(attribute::INDEX_SK, KeyType::Range)?)
                .projection(Projection::builder().projection_type(ProjectionType::All).build())
                .build()
                .map_err(Error::internal)?;
            let stream = StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::NewAndOldImages)
                .build()
                .map_err(Error::internal)?;
            table = table
                .attribute_definitions(definition(attribute::INDEX_PK)?)
                .attribute_definitions(definition(attribute::INDEX_SK)?)
                .global_secondary_indexes(index)
                .stream_specification(stream);
        }
        match table.sent().await {
            Ok(_) => self.expire(name).await,
            Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    async fn expire(&self, table: &str) -> Result<()> {
        let ttl = TimeToLiveSpecification::builder()
            .enabled(true)
            .attribute_name(attribute::GONE_AT)
            .build()
            .map_err(Error::internal)?;
        self.dynamodb()
            .update_time_to_live()
            .table_name(table)
            .time_to_live_specification(ttl)
            .sent()
            .await
            .map_err(failed)?;
        Ok(())
    }
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(Error::internal)
}

fn definition(name: &str) -> Result<AttributeDefinition> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .map_err(Error::internal)
}
