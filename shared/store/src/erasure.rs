//! Erasing what may hold personal data: the cases of a deleted test set, and what models and judges said to them.

use aws_sdk_dynamodb::{error::ProvideErrorMetadata as _, types::AttributeValue};
use domain::{EvalRunId, Result, TestSetId, eval_run::CaseResult};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use crate::{
    Store, TestSet,
    keys::{DRAFTS, Key, List, OUTPUTS, TelemetryKey, object_folders, run_partition},
    object::unavailable,
    sent::Sent,
    table::{attribute, failed, text, to_item},
};

/// How many items are written at once.
const WRITES: usize = 16;

/// The part of an item that its key needs.
#[derive(Deserialize)]
struct Place {
    sk: String,
}

impl Store {
    /// The test sets that are deleted and not erased yet.
    pub async fn test_sets_to_erase(&self) -> Result<Vec<TestSet>> {
        self.all(self.query_list(&List::Erasing)).await
    }

    /// Keeps how far the erasure of a test set is: nobody's decision, so no entry in the audit. Returns whether it
    /// took.
    pub async fn keep_erasure(&self, set: &TestSet) -> Result<bool> {
        let mut item = to_item(&Key::TestSet(set.test_set_id), set)?;
        item.insert(attribute::INDEX_PK.to_owned(), text(set.list().pk()));
        item.insert(attribute::INDEX_SK.to_owned(), text(set.test_set_id.to_string()));
        self.keep(&self.names.registry, item, set, set.revision - 1).await
    }

    /// Deletes all objects of a test set, those too that no version names.
    pub async fn delete_objects_of(&self, set: TestSetId) -> Result<()> {
        for folder in object_folders(set) {
            // What is deleted is not listed again, so the first page is always the next one.
            loop {
                let list = self.s3.list_objects_v2().bucket(&self.names.bucket).prefix(&folder);
                let page = list.sent().await.map_err(unavailable)?;
                let keys: Vec<_> =
                    page.contents.into_iter().flatten().filter_map(|object| object.key).collect();
                if keys.is_empty() {
                    break;
                }
                let deletes = stream::iter(keys).map(|key| async move { self.delete_object(&key).await });
                deletes.buffer_unordered(WRITES).try_collect::<()>().await?;
            }
        }
        Ok(())
    }

    /// Erases what was said to the cases of a run. Its figures stay. What is erased already is not written again.
    pub async fn erase_outputs(&self, run: EvalRunId) -> Result<()> {
        let results = self.all_case_results(run).await?.into_iter();
        let said = results.filter_map(|before| {
            let after = before.clone().erased();
            (after != before).then_some(after)
        });
        let writes = stream::iter(said).map(|result| self.replace_said(run, result));
        writes.buffer_unordered(WRITES).try_collect::<()>().await?;
        for kind in [OUTPUTS, DRAFTS] {
            let places: Vec<Place> =
                self.all(self.query(&self.names.telemetry, run_partition(run), kind)).await?;
            let deletes = stream::iter(places).map(|Place { sk }| self.delete_said(run, sk));
            deletes.buffer_unordered(WRITES).try_collect::<()>().await?;
        }
        Ok(())
    }

    /// Only what was said is written, so that the item expires when it did before.
    async fn replace_said(&self, run: EvalRunId, result: CaseResult) -> Result<()> {
        let key = TelemetryKey::Case(run, result.number);
        let update = self
            .dynamodb()
            .update_item()
            .table_name(&self.names.telemetry)
            .key(attribute::PK, text(key.pk()))
            .key(attribute::SK, text(key.sk()))
            .update_expression("SET #output = :output, #error = :error, #score = :score")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#output", "output")
            .expression_attribute_names("#error", "error")
            .expression_attribute_names("#score", "score")
            .expression_attribute_values(":output", value(&result.output)?)
            .expression_attribute_values(":error", value(&result.error)?)
            .expression_attribute_values(":score", value(&result.score)?);
        match update.sent().await {
            // It has expired meanwhile.
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            answer => answer.map(|_| ()).map_err(failed),
        }
    }

    async fn delete_said(&self, run: EvalRunId, sk: String) -> Result<()> {
        let delete = self.dynamodb().delete_item().table_name(&self.names.telemetry);
        let delete = delete.key(attribute::PK, text(run_partition(run))).key(attribute::SK, text(sk));
        delete.sent().await.map(|_| ()).map_err(failed)
    }
}

fn value(value: &impl Serialize) -> Result<AttributeValue> {
    serde_dynamo::to_attribute_value(value).map_err(domain::Error::internal)
}
