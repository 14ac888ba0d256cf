//! The same 500 prompts through the command line: imported, exported, and pushed again as no change.

use std::{path::Path, process::Output};

use e2e::{Profile, bootstrap};
use local::Platform;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{process::Command, time::Instant};

use crate::{ALONE, file, platform, say};

async fn cuecard(platform: &Platform, folder: &Path, arguments: &[&str]) -> Value {
    let began = Instant::now();
    let mut command = Command::new(bootstrap("cuecard", Profile::Dev));
    command.args(arguments).args(["-o", "json"]).current_dir(folder).env("HOME", folder);
    command.env("CUECARD_URL", platform.url()).env("CUECARD_API_KEY", platform.admin_key());
    let Output { status, stdout, stderr } = command.output().await.unwrap();
    assert_eq!(status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    say(&format!("cuecard {}: {:.1} s", arguments.join(" "), began.elapsed().as_secs_f64()));
    serde_json::from_slice(&stdout).unwrap()
}

/// How many prompts came to this.
fn count(answer: &Value, outcome: &str) -> usize {
    answer["data"].as_array().unwrap().iter().filter(|line| line["outcome"] == outcome).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_imported_exported_and_pushed_again_as_no_change() {
    let _alone = ALONE.lock().await;
    let folder = TempDir::new().unwrap();
    let data = TempDir::new().unwrap();
    let platform = platform(&data).await;
    std::fs::write(folder.path().join("prompts.jsonl"), file("prompts-500.jsonl")).unwrap();
    let run = |arguments: &'static [&'static str]| cuecard(&platform, folder.path(), arguments);
    let import = &["import", "prompts.jsonl", "--team", "library", "--model", "mock/echo"];
    assert_eq!(count(&run(import).await, "new"), 500);
    assert_eq!(count(&run(&["export", "prompts"]).await, "written"), 500);
    assert_eq!(count(&run(&["push", "prompts"]).await, "no change"), 500);
    assert_eq!(count(&run(&["pull", "prompts"]).await, "no change"), 500);
    assert_eq!(count(&run(import).await, "no change"), 500);
    platform.stop().await;
}
