//! Tests of the engines, through the real SDK.

use std::{
    fs::OpenOptions,
    io::{Seek, SeekFrom, Write},
};

use rusqlite::Connection;

use super::*;
use crate::{
    clients,
    fixture::{engines, exists, put, queue, send, table},
};

#[tokio::test]
async fn objects_and_messages_come_back_as_they_went() {
    let (engines, clients) = engines().await;
    clients.s3.create_bucket().bucket("things").send().await.unwrap();
    let body = "prompt".repeat(10_000).into_bytes();
    let put = clients.s3.put_object().bucket("things").key("a").body(body.clone().into());
    put.send().await.unwrap();
    let got = clients.s3.get_object().bucket("things").key("a").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), body);

    let url = queue(&clients, "work").await;
    assert!(url.starts_with(&engines.endpoints().sqs), "{url}");
    send(&clients, &url, "hello").await;
    let got = clients.sqs.receive_message().queue_url(&url).send().await.unwrap();
    assert_eq!(got.messages()[0].body(), Some("hello"));
    engines.stop().await;
}

#[tokio::test]
async fn tables_and_objects_outlive_the_engines() {
    let folder = TempDir::new().unwrap();
    let first = Engines::start(folder.path(), Expired::Removed).await.unwrap();
    let client = clients(first.endpoints());
    table(&client, "things").await;
    put(&client, "things", "a", "1").await;
    client.s3.create_bucket().bucket("things").send().await.unwrap();
    first.stop().await;

    let second = Engines::start(folder.path(), Expired::Removed).await.unwrap();
    let client = clients(second.endpoints());
    assert!(exists(&client, "things", "a").await);
    assert!(client.s3.head_bucket().bucket("things").send().await.is_ok());
}

#[tokio::test]
async fn a_folder_serves_one_process_at_a_time() {
    let folder = TempDir::new().unwrap();
    let first = Engines::start(folder.path(), Expired::Removed).await.unwrap();
    let refused = Engines::start(folder.path(), Expired::Removed).await.unwrap_err();
    assert!(matches!(refused, EngineError::InUse { .. }), "{refused}");
    first.stop().await;
    Engines::start(folder.path(), Expired::Removed).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let refused = Engines::start(&folder.path().join("file/data"), Expired::Removed).await.unwrap_err();
    assert!(matches!(refused, EngineError::Folder { .. }), "{refused}");
    assert!(refused.to_string().contains("file/data"), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("tables.sqlite"), "no database at all".repeat(1000)).unwrap();
    let refused = Engines::start(folder.path(), Expired::Removed).await.unwrap_err();
    assert!(matches!(refused, EngineError::Damaged { .. }), "{refused}");
    assert_eq!(refused.to_string().lines().count(), 1, "{refused}");
}

#[tokio::test]
async fn a_database_with_a_damaged_page_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("tables.sqlite");
    let database = Connection::open(&file).unwrap();
    let rows =
        "CREATE TABLE t (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
        INSERT INTO t SELECT hex(randomblob(500)) FROM n";
    database.execute_batch(rows).unwrap();
    database.close().unwrap();

    let mut raw = OpenOptions::new().write(true).open(&file).unwrap();
    raw.seek(SeekFrom::Start(3 * 4096)).unwrap();
    raw.write_all(&[0xA5; 4096]).unwrap();
    let refused = Engines::start(folder.path(), Expired::Removed).await.unwrap_err();
    assert!(matches!(refused, EngineError::Damaged { .. }), "{refused}");
    assert_eq!(refused.to_string().lines().count(), 1, "{refused}");
}

#[tokio::test]
async fn a_server_of_others_that_does_not_start_says_why() {
    let absent = Engines::of_moto(Path::new("no-such-program")).await.unwrap_err();
    assert!(absent.to_string().contains("say `make tools`"), "{absent}");
    let ended = Engines::of_moto(Path::new("false")).await.unwrap_err();
    assert!(ended.to_string().contains("ended at once"), "{ended}");
}
