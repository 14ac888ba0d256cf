//! What others wrote can do nothing to a terminal, and every command explains itself.

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn text_of_others_is_shown_harmlessly() {
    let stage = Stage::empty().await;
    let nasty = "a\u{1b}]0;owned\u{7}b\u{202e}c\u{200b}<script>";
    stage.fields(&["prompts", "create", "support/x", "--description", nasty]).await;
    let template = ["--template", nasty, "--format", "plain", "--model", "mock/echo", "--note", nasty];
    stage.fields(&[&["versions", "create", "support/x"][..], &template].concat()).await;
    for arguments in [
        &["prompts", "list"][..],
        &["prompts", "show", "support/x"],
        &["versions", "list", "support/x"],
        &["versions", "show", "support/x"],
        &["render", "support/x"],
        &["audit", "list", "support/x"],
    ] {
        let said = stage.run(arguments).await;
        assert_eq!(said.code, 0, "{}", said.stderr);
        for hidden in ['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}'] {
            assert!(!said.stdout.contains(hidden), "{arguments:?}: {:?}", said.stdout);
        }
    }
    let exact = stage.fields(&["versions", "show", "support/x"]).await;
    assert_eq!(exact["template_text"], nasty, "a program is told exactly");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_helps_with_examples() {
    let stage = Stage::empty().await;
    let help = stage.said(&["--help"], &[]).await;
    assert_eq!(help.code, 0);
    insta::assert_snapshot!(help.stdout);
    let commands = help.stdout.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: Vec<_> = commands.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() > 25, "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let help = stage.run(&[command, "--help"]).await;
        assert_eq!(help.code, 0, "{command}: {}", help.stderr);
        assert!(
            help.stdout.contains(&format!("  cuecard {command}")),
            "{command} shows no example: {}",
            help.stdout
        );
    }
}
