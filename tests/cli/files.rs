//! Prompts as files: pushed, pulled, and never written over silently.

use std::fs;

use serde_json::json;

use crate::stage::{Stage, tree};

const GREETING: &str = "prompts/support/greeting.prompt.md";

/// A prompt with one version, and its file.
async fn with_a_file() -> Stage {
    let stage = Stage::empty().await;
    stage.fields(&["prompts", "create", "support/greeting", "--tag", "tone"]).await;
    let create = ["versions", "create", "support/greeting", "--model", "mock/echo", "--template"];
    stage.fields(&[&create[..], &["Hello {{ name }}.\n"]].concat()).await;
    stage.fields(&["export", "prompts"]).await;
    stage
}

/// Somebody else writes a version.
async fn write_there(stage: &Stage, template: &str) {
    stage.fields(&["versions", "create", "support/greeting", "--template", template]).await;
}

fn change(stage: &Stage, from: &str, to: &str) {
    let text = stage.text(GREETING);
    assert!(text.contains(from), "{text}");
    stage.put(GREETING, &text.replace(from, to));
}

async fn newest(stage: &Stage) -> (u64, String) {
    let version = stage.fields(&["versions", "show", "support/greeting"]).await;
    (version["version_number"].as_u64().unwrap(), version["template_text"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_here_is_pushed_and_what_changed_there_is_pulled() {
    let mut stage = with_a_file().await;
    insta::assert_snapshot!("file", stage.text(GREETING));
    stage.shows(&["push", "prompts"], 0).await;
    change(&stage, "Hello", "Good morning");
    stage.shows(&["push", "prompts", "--dry-run"], 0).await;
    assert_eq!(newest(&stage).await.0, 1, "a dry run writes nothing");
    stage.shows(&["push", "prompts", "--note", "Warmer"], 0).await;
    assert_eq!(newest(&stage).await, (2, "Good morning {{ name }}.\n".to_owned()));
    assert!(stage.text(GREETING).contains("version: 2\n"));
    stage.shows(&["push", "prompts"], 0).await;

    write_there(&stage, "Good evening {{ name }}.").await;
    stage.shows(&["push", "prompts"], 0).await;
    assert_eq!(newest(&stage).await.0, 3, "a file that is behind is not pushed");
    stage.shows(&["pull", "prompts", "--dry-run"], 0).await;
    assert!(stage.text(GREETING).contains("version: 2\n"));
    stage.shows(&["pull", "prompts"], 0).await;
    assert!(stage.text(GREETING).ends_with("---\nGood evening {{ name }}.\n"));
    stage.fields(&["prompts", "create", "support/farewell"]).await;
    stage
        .fields(&["versions", "create", "support/farewell", "--template", "Bye", "--model", "mock/echo"])
        .await;
    stage.shows(&["pull", "prompts"], 0).await;
    stage.put(
        "prompts/new.prompt.md",
        "---\nname: new one\nteam: growth\nmodel: mock/echo\nformat: plain\n---\n{{ x\n",
    );
    stage.shows(&["push", "prompts"], 0).await;
    stage.shows(&["push", "prompts"], 0).await;
    insta::assert_snapshot!(stage.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_both_sides_changed_nothing_is_written_until_a_person_says_which() {
    let mut stage = with_a_file().await;
    let other = "---\nname: other\nteam: support\nmodel: mock/echo\n---\nOther\n";
    stage.put("prompts/other.prompt.md", other);
    change(&stage, "Hello", "Good morning");
    write_there(&stage, "Good evening {{ name }}.").await;
    let before = stage.text(GREETING);

    stage.shows(&["push", "prompts"], 6).await;
    assert_eq!(
        stage.fields(&["prompts", "list"]).await["data"].as_array().unwrap().len(),
        1,
        "nothing at all"
    );
    stage.shows(&["pull", "prompts"], 6).await;
    assert_eq!(stage.text(GREETING), before);
    stage.shows(&["export", "prompts"], 6).await;
    assert_eq!(stage.text(GREETING), before);

    stage.shows(&["push", "prompts", "--force"], 0).await;
    assert_eq!(newest(&stage).await, (3, "Good morning {{ name }}.\n".to_owned()));
    change(&stage, "Good morning", "Hi");
    write_there(&stage, "Good night {{ name }}.").await;
    stage.shows(&["pull", "prompts", "--force"], 0).await;
    assert!(stage.text(GREETING).ends_with("---\nGood night {{ name }}.\n"));

    // The same change on both sides is none.
    change(&stage, "Good night", "Sleep well");
    write_there(&stage, "Sleep well {{ name }}.").await;
    stage.shows(&["pull", "prompts"], 0).await;
    assert!(stage.text(GREETING).contains("version: 5\n"));
    insta::assert_snapshot!(stage.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_read_stops_everything_and_is_named() {
    let mut stage = with_a_file().await;
    change(&stage, "Hello", "Good morning");
    stage.put("prompts/bad.prompt.md", "---\nname: bad\nteam: support\nmodel: mock/echo\n---\n{% for %}\n");
    stage.shows(&["push", "prompts"], 2).await;
    stage.put("prompts/bad.prompt.md", "---\nname: bad\ntemprature: 1\n---\nx\n");
    stage.shows(&["push", "prompts"], 2).await;
    assert_eq!(newest(&stage).await.0, 1);
    // Without a version a file knows nothing of what is there.
    fs::remove_file(stage.path("prompts/bad.prompt.md")).unwrap();
    change(&stage, "version: 1\n", "");
    stage.shows(&["push", "prompts"], 6).await;
    insta::assert_snapshot!(stage.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_pulled_and_pushed_is_the_same_byte_for_byte() {
    let stage = with_a_file().await;
    for (name, template) in [
        ("growth/a/b c", "\n\n  leading and trailing \n\n"),
        ("growth/日本 %:?*", "---\nfront: matter\n---\n{{ x }}\r\n"),
        ("growth/.hidden", ""),
    ] {
        stage.fields(&["prompts", "create", name]).await;
        let create =
            ["versions", "create", name, "--model", "mock/echo", "--format", "plain", "--template", template];
        stage.fields(&create).await;
    }
    stage.fields(&["export", "prompts"]).await;
    let exported = tree(&stage.path("prompts"));
    assert_eq!(exported.len(), 4, "{exported:?}");
    for command in [["push", "prompts"], ["pull", "prompts"], ["export", "prompts"]] {
        let said = stage.fields(&command).await;
        let outcomes: Vec<_> =
            said["data"].as_array().unwrap().iter().map(|line| line["outcome"].clone()).collect();
        assert_eq!(outcomes, ["no change"; 4], "{command:?}");
        assert_eq!(tree(&stage.path("prompts")), exported, "{command:?}");
    }
}

/// What a command says of the one file.
async fn outcome(stage: &Stage, arguments: &[&str]) -> String {
    let said = stage.run(&[arguments, &["-o", "json"]].concat()).await;
    said.json()["data"][0]["outcome"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_beside_the_template_is_never_written_over_unseen() {
    let stage = with_a_file().await;
    for (number, (from, to)) in [
        ("- tone\n", "- tone\n- mine\n"),
        ("tags:\n- tone\n", ""),
        ("tags:\n", "description: mine\ntags:\n"),
        ("model:", "# mine\nmodel:"),
    ]
    .into_iter()
    .enumerate()
    {
        change(&stage, from, to);
        let mine = stage.text(GREETING);
        write_there(&stage, &format!("{number} {{{{ name }}}}")).await;
        assert_eq!(outcome(&stage, &["push", "prompts"]).await, "behind", "{to}");
        let said = stage.run(&["pull", "prompts"]).await;
        assert!(said.code == 6 && said.stdout.contains("comments were changed too"), "{to}: {}", said.stdout);
        assert_eq!(stage.text(GREETING), mine);
        assert_eq!(outcome(&stage, &["pull", "prompts", "--force"]).await, "written over", "{to}");
        assert!(stage.text(GREETING).contains("tags:\n- tone\nmodel:"), "{}", stage.text(GREETING));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_and_tags_go_to_the_prompt_itself_and_those_of_others_stay() {
    let stage = with_a_file().await;
    let labels = async || {
        let prompt = stage.fields(&["prompts", "show", "support/greeting"]).await;
        (prompt["description"].clone(), prompt["tags"].clone())
    };
    change(&stage, "tags:\n- tone\n", "description: Says hello\ntags:\n- tone\n- mine\n");
    let mine = stage.text(GREETING);
    assert_eq!(outcome(&stage, &["pull", "prompts"]).await, "differs");
    assert_eq!(stage.text(GREETING), mine);
    assert_eq!(outcome(&stage, &["push", "prompts", "--dry-run"]).await, "changed");
    assert_eq!(labels().await, (json!(null), json!(["tone"])));
    assert_eq!(outcome(&stage, &["push", "prompts"]).await, "changed");
    assert_eq!(labels().await, (json!("Says hello"), json!(["tone", "mine"])));
    assert_eq!(newest(&stage).await.0, 1);
    assert_eq!(outcome(&stage, &["push", "prompts"]).await, "no change");

    // What the registry had before is old in a file, and no change of a person's.
    stage.fields(&["prompts", "update", "support/greeting", "--tag", "theirs"]).await;
    assert_eq!(outcome(&stage, &["push", "prompts"]).await, "not pushed");
    change(&stage, "Hello", "Good morning");
    assert_eq!(outcome(&stage, &["push", "prompts"]).await, "changed");
    assert_eq!(labels().await, (json!("Says hello"), json!(["theirs"])));
    write_there(&stage, "Good evening {{ name }}.").await;
    assert_eq!(outcome(&stage, &["pull", "prompts"]).await, "updated");
    assert!(stage.text(GREETING).contains("tags:\n- theirs\nmodel:"));

    change(&stage, "description: Says hello\n", "");
    assert_eq!(outcome(&stage, &["push", "prompts"]).await, "not pushed");
    assert_eq!(labels().await.0, "Says hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_leaves_what_it_cannot_read() {
    let stage = with_a_file().await;
    let bytes = [0xff_u8, 0xfe, 0];
    fs::write(stage.path(GREETING), bytes).unwrap();
    assert_eq!(outcome(&stage, &["export", "prompts"]).await, "conflict");
    assert_eq!(fs::read(stage.path(GREETING)).unwrap(), bytes);
    assert_eq!(outcome(&stage, &["export", "prompts", "--force"]).await, "written over");
    fs::remove_file(stage.path(GREETING)).unwrap();
    fs::create_dir(stage.path(GREETING)).unwrap();
    assert_eq!(outcome(&stage, &["export", "prompts"]).await, "conflict");
}
