//! Imports: JSON lines, dotprompt, Prompty, and our own files.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn prompts_come_in_every_form_and_are_left_alone_once_there() {
    let mut stage = Stage::empty().await;
    let lines = [
        json!({ "name": "Math Teacher", "text": "Explain {{ this {# as it is", "type": "text" }),
        json!({ "name": "Poet", "text": "Write.\n", "team": "growth", "description": "Rhymes", "model": "mock/x" }),
    ];
    stage.put("in/lines.jsonl", &lines.map(|line| line.to_string()).join("\n"));
    let dotprompt = "---\nmodel: mock/echo\ninput:\n  schema:\n    text: string\n---\n{{role \"system\"}}Sum up.\n{{role \"user\"}}{{text}}\n";
    stage.put("in/summary.prompt", dotprompt);
    stage.put(
        "in/support.prompty",
        "---\nname: Support\nmodel:\n  id: mock/echo\n---\nsystem:\nBe kind.\nuser:\n{{question}}\n",
    );
    let import = ["import", "in", "--team", "library", "--model", "mock/echo"];
    stage.shows(&[&import[..], &["--dry-run"]].concat(), 0).await;
    stage.shows(&import, 0).await;
    stage.shows(&import, 0).await;
    stage.put("in/lines.jsonl", &json!({ "name": "Math Teacher", "text": "Something else" }).to_string());
    stage.shows(&import, 6).await;
    stage.put("in/lines.jsonl", "{\"name\": \"a\"}\nno\n");
    stage.shows(&import, 2).await;
    stage.put("in/lines.jsonl", "");
    stage.put("in/summary.prompt", "---\nmodel: mock/echo\n---\n{{#each items}}x{{/each}}\n");
    stage.shows(&import, 2).await;
    insta::assert_snapshot!(stage.transcript());

    let teacher = stage.fields(&["versions", "show", "library/Math Teacher"]).await;
    assert_eq!(teacher["template_text"], "Explain {{ this {# as it is");
    assert_eq!(stage.fields(&["prompts", "show", "growth/Poet"]).await["description"], "Rhymes");
    let summary = stage.fields(&["render", "library/summary", "--var", "text=long"]).await;
    assert_eq!(
        summary["messages"],
        json!([
            { "role": "system", "content": "Sum up." },
            { "role": "user", "content": "long" },
        ])
    );
}
