//! `local restore`, over engines in AWS's place.

use std::process::{Command, Output};

use domain::{AuditId, PromptId};
use runtime::aws::{Aws, Endpoints};
use store::Names;
use testkit::{
    Engines, Expired, clients,
    engines::{ACCESS_KEY, REGION, SECRET_KEY},
};

const TABLE: &str = "copy";
const ARCHIVE: &str = "archive";

/// Engines with an empty table and an empty archive.
async fn engines() -> Engines {
    let engines = Engines::ephemeral(Expired::Kept).await.unwrap();
    let of = engines.endpoints().clone();
    let endpoints = Endpoints { dynamodb: of.dynamodb, s3: of.s3, sqs: of.sqs };
    let aws = Box::pin(Aws::connect_to(endpoints, REGION, ACCESS_KEY, SECRET_KEY)).await;
    let names = Names {
        registry: TABLE.to_owned(),
        telemetry: "telemetry".to_owned(),
        bucket: ARCHIVE.to_owned(),
        archive: None,
    };
    aws.store(names).create_missing().await.unwrap();
    engines
}

/// What the program says of it, as somebody runs it who is signed in to AWS.
async fn restore(engines: &Engines, more: &'static [&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(["restore", "--table", TABLE, "--archive", ARCHIVE]).args(more);
    let endpoints = engines.endpoints();
    command.env("AWS_ENDPOINT_URL_DYNAMODB", &endpoints.dynamodb).env("AWS_ENDPOINT_URL_S3", &endpoints.s3);
    command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
    command.env("AWS_REGION", REGION);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_it_did_and_fails_where_it_could_not_follow() {
    let engines = engines().await;
    let nothing = restore(&engines, &["--dry-run"]).await;
    let said = String::from_utf8(nothing.stdout).unwrap();
    assert!(nothing.status.success() && said == "0 entries would be done again (chains: 0).\n", "{said}");
    let (prompt, entry) = (PromptId::from_bytes([1; 16]), AuditId::from_bytes([1; 16]));
    let object = format!("audit/{prompt}/2026/11/30/{entry}.json");
    let put = clients(engines.endpoints()).s3.put_object().bucket(ARCHIVE).key(&object);
    put.body(b"no entry".to_vec().into()).send().await.unwrap();
    let failed = restore(&engines, &[]).await;
    let said = String::from_utf8(failed.stdout).unwrap();
    assert!(said.contains("Not followed:\n") && said.contains(&object), "{said}");
    let error = String::from_utf8(failed.stderr).unwrap();
    assert!(failed.status.code() == Some(1) && error.contains("docs/restore.md"), "{error}");
}
