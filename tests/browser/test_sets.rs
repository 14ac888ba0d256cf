//! A test set from a file: a bad one is refused line by line, a good one is kept.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use crate::stage::{Stage, cases};

fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn a_bad_file_is_refused_with_all_its_lines_and_a_good_one_is_kept() {
    let stage = Stage::empty().await;
    let folder = TempDir::new().unwrap();
    let bad = file(&folder, "bad.jsonl", "{\"vars\": 1}\nnot json\n{\"vars\": {}, \"unknown\": 1}\n");
    let good = file(&folder, "good.jsonl", &cases(3, 0));
    let table = file(&folder, "more.csv", "message,__expected\nhello,hello\nbye,bye\n");
    let mut tab = stage.admin().await;
    tab.follow("Test sets").await;
    tab.fill("Name", "questions").await;
    tab.fill("Team", "support").await;
    tab.follow("Make it").await;
    tab.sees("No cases yet").await;

    tab.upload(&bad).await;
    tab.until("document.getElementById('f-cases').value.includes('not json')").await;
    tab.follow("Put them as a new version").await;
    for line in ["line 1", "line 2", "line 3"] {
        tab.sees(line).await;
    }
    assert!(tab.value("Cases").await.contains("not json"), "what was sent comes back");

    tab.upload(&good).await;
    tab.until("document.getElementById('f-cases').value.includes('question 3')").await;
    tab.follow("Put them as a new version").await;
    tab.sees("Saved. The next version of a prompt is evaluated against these cases").await;
    tab.sees("question 3").await;

    tab.upload(&table).await;
    tab.until("document.getElementById('f-format').value === 'csv'").await;
    tab.follow("Put them as a new version").await;
    tab.sees("hello").await;
    tab.sees_but_not("bye", "question 3").await;

    tab.click("Delete the cases").await;
    tab.fill("Type its name: questions", "questions").await;
    tab.follow("Delete").await;
    tab.sees("None yet").await;
}
